import faiss
import h5py
import numpy as np
import pytest
import torch

from fgsn_mmseg.clustering import (
    Codebook,
    clustering_figures,
    kmeans,
    nearest_centroids,
    pca_whitening,
    read_codebook,
    write_codebook,
)
from fgsn_mmseg.clustering.kmeans import repair_empty

BUFFERS = ('pca_matrix', 'pca_bias', 'centroids')


def features(count=400, channels=12, seed=0):
    """Correlated channels of different sizes and means."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(channels, channels)) * rng.uniform(
        0.1, 5, channels
    )
    rows = rng.normal(size=(count, channels)) @ mixing + rng.normal(
        0, 10, channels
    )
    return torch.from_numpy(rows.astype(np.float32))


def fitted(num_clusters=7, pca_dim=5, **kwargs):
    rows = features(**kwargs)
    codebook = Codebook(num_clusters, rows.shape[1], pca_dim)
    return codebook, rows, codebook.fit(rows)


def naive_labels(codebook, rows):
    """The words of the method, one feature at a time, in float64."""
    matrix, bias, centroids = (
        getattr(codebook, name).double() for name in BUFFERS
    )
    labels = []
    for row in rows.double():
        reduced = row @ matrix + bias
        reduced = reduced / reduced.norm()
        labels.append(
            min(
                range(len(centroids)),
                key=lambda k: float(((reduced - centroids[k]) ** 2).sum()),
            )
        )
    return torch.tensor(labels)


class TestWhitening:
    def test_against_svd(self):
        rows = features().numpy().astype(np.float64)
        matrix, bias = pca_whitening(torch.from_numpy(rows), 5)
        centred = rows - rows.mean(0)
        _, singular, axes = np.linalg.svd(centred, full_matrices=False)
        expected = centred @ axes[:5].T / singular[:5] * len(rows) ** 0.5
        found = rows @ matrix.numpy() + bias.numpy()
        sign = np.sign((found * expected).sum(0))
        np.testing.assert_allclose(found, expected * sign, atol=1e-3)

    def test_against_eigh(self):
        rows = features().numpy().astype(np.float64)
        matrix, _ = pca_whitening(torch.from_numpy(rows), 12)
        covariance = np.cov(rows.T, bias=True)
        values, vectors = np.linalg.eigh(covariance)
        expected = (vectors * values**-0.5)[:, ::-1]
        sign = np.sign((matrix.numpy() * expected).sum(0))
        np.testing.assert_allclose(
            matrix.numpy(), expected * sign, rtol=1e-4, atol=1e-5
        )

    def test_result_is_white(self):
        rows = features()
        matrix, bias = pca_whitening(rows, 6)
        white = (rows @ matrix + bias).double()
        torch.testing.assert_close(
            white.T @ white / len(white),
            torch.eye(6, dtype=torch.float64),
            atol=1e-3,
            rtol=0,
        )

    def test_hand_computed(self):
        # Variances 4 (x) and 1 (y) about the mean (1, 2).
        rows = torch.tensor([[3.0, 3.0], [3.0, 1.0], [-1.0, 3.0], [-1.0, 1.0]])
        matrix, bias = pca_whitening(rows, 2)
        torch.testing.assert_close(
            matrix, torch.tensor([[0.5, 0.0], [0.0, 1.0]])
        )
        torch.testing.assert_close(bias, torch.tensor([-0.5, -2.0]))

    def test_dead_channels_stay_out(self):
        rows = features()
        rows[:, [2, 5, 7]] = 3.0
        matrix, bias = pca_whitening(rows, 12)
        assert matrix.isfinite().all() and bias.isfinite().all()
        assert matrix[[2, 5, 7]].abs().max() < 1e-5
        assert (matrix.abs().sum(0) > 1e-4).tolist() == [True] * 9 + [
            False
        ] * 3

    def test_fewer_features_than_dimensions(self):
        rows = features(count=5)
        matrix, bias = pca_whitening(rows, 12)
        assert matrix.isfinite().all()
        # Five points span four directions.
        assert int((matrix.abs().sum(0) > 1e-6).sum()) == 4
        white = rows @ matrix + bias
        assert white.abs().max() < 3

    def test_features_without_variance(self):
        matrix, bias = pca_whitening(torch.full((9, 4), 2.5), 3)
        assert not matrix.any() and not bias.any()


class TestFit:
    def test_shapes_and_types(self):
        codebook, rows, _ = fitted()
        assert codebook.pca_matrix.shape == (12, 5)
        assert codebook.pca_bias.shape == (5,)
        assert codebook.centroids.shape == (7, 5)
        labels = codebook.assign(rows)
        assert labels.dtype == torch.int64 and labels.shape == (400,)

    def test_same_seed_same_codebook(self):
        first, _, figures = fitted()
        second, _, figures2 = fitted()
        for name in BUFFERS:
            assert torch.equal(getattr(first, name), getattr(second, name))
        assert figures == figures2

    def test_another_seed_another_start(self):
        rows = features()
        codebooks = [Codebook(7, 12, 5) for _ in range(2)]
        for seed, codebook in enumerate(codebooks):
            codebook.fit(rows, seed=seed)
        assert not torch.equal(codebooks[0].centroids, codebooks[1].centroids)

    def test_global_generators_are_left_alone(self):
        torch.manual_seed(3)
        np.random.seed(3)
        fitted()
        drawn = torch.rand(1), np.random.rand()
        torch.manual_seed(3)
        np.random.seed(3)
        assert drawn == (torch.rand(1), np.random.rand())

    def test_array_and_tensor_give_the_same(self):
        rows = features()
        one, two = Codebook(7, 12, 5), Codebook(7, 12, 5)
        one.fit(rows)
        two.fit(rows.numpy().astype(np.float64))
        assert torch.equal(one.centroids, two.centroids)

    def test_centroids_are_means_of_their_features(self):
        # After many iterations Lloyd's algorithm stands still.
        rows = features(count=120)
        codebook = Codebook(4, 12, 5)
        codebook.fit(rows, iterations=100)
        labels, reduced = codebook.assign(rows), codebook.reduce(rows)
        for k in range(4):
            torch.testing.assert_close(
                reduced[labels == k].mean(0),
                codebook.centroids[k],
                atol=1e-4,
                rtol=0,
            )

    def test_figures(self):
        codebook, rows, figures = fitted()
        labels = codebook.assign(rows)
        reduced = codebook.reduce(rows)
        squared = (reduced - codebook.centroids[labels]).square().sum(1)
        counts = torch.bincount(labels, minlength=7) / 400
        assert figures['inertia'] == pytest.approx(
            float(squared.mean()), rel=1e-4
        )
        assert figures['used_clusters'] == 7
        assert figures['largest_share'] == pytest.approx(float(counts.max()))
        assert figures['entropy'] == pytest.approx(
            float(-(counts * counts.log2()).sum()), rel=1e-5
        )

    def test_figures_hand_computed(self):
        figures = clustering_figures(
            np.array([1.0, 2.0, 3.0, 6.0]), np.array([0, 0, 2, 3]), 5
        )
        assert figures == dict(
            inertia=3.0, used_clusters=3, largest_share=0.5, entropy=1.5
        )

    def test_fewer_features_than_clusters(self):
        codebook = Codebook(30, 12, 5)
        expected = (
            'Clustering needs at least num_clusters=30 features, but only 29 '
            'were given'
        )
        with pytest.raises(ValueError, match=expected):
            codebook.fit(features(count=29))
        assert not codebook.centroids.any()

    def test_as_many_features_as_clusters(self):
        rows = features(count=30)
        codebook = Codebook(30, 12, 5)
        assert codebook.fit(rows)['used_clusters'] == 30

    def test_thousand_clusters(self):
        codebook, rows, figures = fitted(
            num_clusters=1000, pca_dim=8, count=1600
        )
        labels = codebook.assign(rows)
        assert figures['used_clusters'] == len(labels.unique()) == 1000
        assert labels.max() == 999 and (labels == 255).any()

    @pytest.mark.parametrize('value', [float('nan'), float('inf')])
    def test_values_that_are_not_finite(self, value):
        rows = features()
        rows[3, 4] = value
        with pytest.raises(ValueError, match='should be finite'):
            Codebook(7, 12, 5).fit(rows)

    def test_wrong_channels(self):
        with pytest.raises(ValueError, match=r'shape \(M, 12\), but got'):
            Codebook(7, 12, 5).fit(features(channels=11))

    @pytest.mark.parametrize('arguments', [(0, 4, 2), (3, 4, 5), (3, 4, 0)])
    def test_impossible_sizes(self, arguments):
        with pytest.raises(ValueError, match='should be'):
            Codebook(*arguments)


class TestAssign:
    def test_against_naive(self):
        codebook, rows, _ = fitted(num_clusters=23)
        assert torch.equal(codebook.assign(rows), naive_labels(codebook, rows))

    def test_map_that_is_not_square(self):
        codebook, _, _ = fitted()
        maps = features(count=2 * 3 * 11, seed=4).view(2, 3, 11, 12)
        maps = maps.permute(0, 3, 1, 2)
        labels = codebook.assign_map(maps)
        assert labels.shape == (2, 3, 11) and labels.dtype == torch.int64
        for b in range(2):
            for y in range(3):
                for x in range(11):
                    one = naive_labels(codebook, maps[b, :, y, x][None])
                    assert labels[b, y, x] == one[0]

    def test_in_blocks(self, monkeypatch):
        codebook, rows, _ = fitted()
        expected = codebook.assign(rows)
        monkeypatch.setattr('fgsn_mmseg.clustering.codebook.MAX_BLOCK', 7 * 33)
        assert torch.equal(codebook.assign(rows), expected)

    def test_no_features(self):
        codebook, rows, _ = fitted()
        assert codebook.assign(rows[:0]).shape == (0,)

    def test_half_precision_around_it(self):
        codebook, rows, _ = fitted(num_clusters=23)
        expected = codebook.assign(rows)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            assert torch.equal(codebook.assign(rows), expected)

    def test_hand_computed(self):
        codebook = Codebook(3, 2, 2)
        codebook.pca_matrix.copy_(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
        codebook.pca_bias.copy_(torch.tensor([-2.0, 0.0]))
        # Directions right, up, and a short one to the left.
        codebook.centroids.copy_(
            torch.tensor([[1.0, 0.0], [0.0, 1.0], [-0.5, 0.0]])
        )
        rows = torch.tensor([[3.0, 1.0], [1.2, 4.0], [0.0, 0.1], [1.0, -9.0]])
        # The last points down: squared distances 2, 4 and 1.25.
        assert codebook.assign(rows).tolist() == [0, 1, 2, 2]


class TestKmeans:
    def test_duplicates_leave_no_cluster_empty(self):
        # Seven places for seven clusters, one of them with most features.
        places = np.eye(7, dtype=np.float32)
        rows = places[[0] * 60 + [1, 2, 3, 4, 5, 6]]
        left_empty = 0
        for seed in range(10):
            plain = faiss.Kmeans(
                7, 7, niter=20, seed=seed, min_points_per_centroid=1
            )
            plain.train(rows)
            _, ids = nearest_centroids(rows, plain.centroids)
            left_empty += len(np.unique(ids)) < 7
            _, ids = nearest_centroids(rows, kmeans(rows, 7, seed=seed))
            assert len(np.unique(ids)) == 7
        assert left_empty > 0  # else this test shows nothing

    def test_fewer_places_than_clusters(self):
        rows = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2, 2, 2]]
        centroids = kmeans(rows, 5)
        assert np.isfinite(centroids).all()
        assert len(np.unique(nearest_centroids(rows, centroids)[1])) == 3

    def test_repair_by_hand(self):
        rows = np.array([[0.0], [1.0], [10.0], [12.0]], np.float32)
        centroids = np.array([[0.5], [11.0], [99.0]], np.float32)
        # 10 and 12 are served worst (1 each); the first of them is taken.
        repaired = repair_empty(rows, centroids)
        assert repaired.tolist() == [[0.5], [11.0], [10.0]]
        assert centroids[2] == 99  # the argument stays

    def test_repair_takes_no_ones_only_feature(self):
        rows = np.array([[0.0], [0.2], [50.0]], np.float32)
        centroids = np.array([[0.1], [40.0], [999.0]], np.float32)
        repaired = repair_empty(rows, centroids)
        assert repaired[1] == 40
        assert sorted(nearest_centroids(rows, repaired)[1]) == [0, 1, 2]

    def test_all_points_are_used(self):
        # faiss alone keeps 256 points for each centroid.
        rows = np.random.default_rng(0).normal(size=(3000, 2))
        centroids = kmeans(rows.astype(np.float32), 1)
        np.testing.assert_allclose(centroids[0], rows.mean(0), atol=1e-4)

    def test_nearest_against_naive(self):
        rng = np.random.default_rng(1)
        rows = rng.normal(size=(50, 3)).astype(np.float32)
        centroids = rng.normal(size=(9, 3)).astype(np.float32)
        distances, ids = nearest_centroids(rows, centroids)
        for row, distance, id_ in zip(rows, distances, ids):
            squared = [float(((row - c) ** 2).sum()) for c in centroids]
            assert id_ == int(np.argmin(squared))
            assert distance == pytest.approx(min(squared), abs=1e-5)

    @pytest.mark.parametrize('count', [0, 4])
    def test_too_few(self, count):
        with pytest.raises(ValueError, match=f'only {count} were given'):
            kmeans(np.zeros((count, 2), np.float32), 5)


class TestFiles:
    def test_round_trip(self, tmp_path):
        codebook, rows, _ = fitted()
        path = tmp_path / 'new' / 'clustering_iter_0.h5'
        write_codebook(path, codebook)
        again = read_codebook(path)
        for name in BUFFERS:
            assert torch.equal(getattr(codebook, name), getattr(again, name))
        assert torch.equal(again.assign(rows), codebook.assign(rows))
        assert [file.name for file in path.parent.iterdir()] == [path.name]

    def test_layout_of_the_authors(self, tmp_path):
        codebook, _, _ = fitted()
        write_codebook(tmp_path / 'a.h5', codebook)
        with h5py.File(tmp_path / 'a.h5') as file:
            shapes = {name: file[name].shape for name in file}
            assert file['cluster_centroids'].dtype == np.float32
        assert shapes == dict(
            cluster_centroids=(7, 5),
            pca_transform_Amat=(12, 5),
            pca_transform_bvec=(5,),
        )

    @pytest.mark.parametrize('shape', [(5, 1), (1, 5), (5,)])
    def test_bias_of_any_shape(self, tmp_path, shape):
        codebook, rows, _ = fitted()
        with h5py.File(tmp_path / 'a.h5', 'w') as file:
            file['cluster_centroids'] = codebook.centroids.double().numpy()
            file['pca_transform_Amat'] = codebook.pca_matrix.double().numpy()
            file['pca_transform_bvec'] = codebook.pca_bias.numpy().reshape(
                shape
            )
            file['something_else'] = 1
        again = read_codebook(tmp_path / 'a.h5')
        assert again.pca_bias.shape == (5,)
        assert torch.equal(again.assign(rows), codebook.assign(rows))

    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r'nowhere\.h5'):
            read_codebook(tmp_path / 'nowhere.h5')

    def test_no_hdf5(self, tmp_path):
        (tmp_path / 'a.h5').write_text('text')
        with pytest.raises(ValueError, match=r'a\.h5'):
            read_codebook(tmp_path / 'a.h5')

    def test_missing_data_set(self, tmp_path):
        with h5py.File(tmp_path / 'a.h5', 'w') as file:
            file['cluster_centroids'] = np.zeros((3, 2))
        with pytest.raises(ValueError, match=r'a\.h5.*pca_transform_Amat'):
            read_codebook(tmp_path / 'a.h5')

    def test_sizes_that_do_not_fit(self, tmp_path):
        with h5py.File(tmp_path / 'a.h5', 'w') as file:
            file['cluster_centroids'] = np.zeros((3, 2))
            file['pca_transform_Amat'] = np.zeros((8, 4))
            file['pca_transform_bvec'] = np.zeros(4)
        with pytest.raises(ValueError, match=r'a\.h5.*\(3, 2\)'):
            read_codebook(tmp_path / 'a.h5')


def test_state_dict_round_trip(tmp_path):
    codebook, rows, _ = fitted()
    assert set(codebook.state_dict()) == set(BUFFERS)
    assert not list(codebook.parameters())
    torch.save(codebook.state_dict(), tmp_path / 'state.pth')
    again = Codebook(7, 12, 5)
    again.load_state_dict(torch.load(tmp_path / 'state.pth'))
    assert torch.equal(again.assign(rows), codebook.assign(rows))
