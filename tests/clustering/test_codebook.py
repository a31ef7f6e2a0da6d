import numpy as np
import pytest
import torch
from small_features import BUFFERS, features, fitted

from fgsn_mmseg.clustering import (
    Codebook,
    clustering_figures,
    learned_whitening,
)


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


class TestFitWithPairs:
    def test_whitening_is_the_learned_one(self):
        rows = features()
        pairs = rows, rows + 0.1 * features(seed=1)
        codebook = Codebook(7, 12, 5)
        figures = codebook.fit(rows, pairs=pairs, regularization=0.1)
        matrix, bias = learned_whitening(rows, pairs, 5, 0.1)
        assert torch.equal(codebook.pca_matrix, matrix)
        assert torch.equal(codebook.pca_bias, bias)
        assert torch.equal(codebook.assign(rows), naive_labels(codebook, rows))
        assert figures['used_clusters'] == 7

    def test_means_of_pairs_are_clustered_too(self):
        """Far from all features there is a mean: it gets a centroid."""
        axes = torch.eye(4).repeat(20, 1)
        rows = axes + 0.01 * features(80, 4)
        pairs = axes[:40] * 3, axes[:40].roll(1, 1) * 3
        codebook, plain = Codebook(8, 4, 4), Codebook(8, 4, 4)
        codebook.fit(rows, pairs=pairs, pair_means=True)
        plain.fit(rows, pairs=pairs)
        first, second = (codebook.reduce(side) for side in pairs)
        means = torch.nn.functional.normalize(first + second)
        near = torch.cdist(means, codebook.centroids).min(1).values
        far = torch.cdist(means, plain.centroids).min(1).values
        assert near.max() < 0.3 < far.min()

    def test_arrays_do_as_well(self):
        rows = features().numpy()
        one, two = Codebook(7, 12, 5), Codebook(7, 12, 5)
        one.fit(rows, pairs=(rows, rows[::-1].copy()))
        two.fit(rows, pairs=(torch.tensor(rows), torch.tensor(rows).flip(0)))
        assert torch.equal(one.centroids, two.centroids)


class TestOldLabels:
    def test_labels_of_the_same_features_stay(self):
        codebook, rows, _ = fitted()
        labels = codebook.assign(rows)
        again = Codebook(7, 12, 5)
        again.fit(rows, seed=5, old_labels=labels)
        # 20 iterations had all but converged.
        assert (again.assign(rows) == labels).float().mean() > 0.95
        again.fit(rows, seed=5)
        assert (again.assign(rows) == labels).float().mean() < 0.5

    def test_unknown_labels_are_drawn(self):
        _, rows, _ = fitted()
        codebook = Codebook(7, 12, 5)
        figures = codebook.fit(rows, old_labels=torch.full((400,), -1))
        assert figures['used_clusters'] == 7

    def test_wrong_number(self):
        with pytest.raises(ValueError, match=r'`old_labels`.*\(400,\)'):
            Codebook(7, 12, 5).fit(features(), old_labels=torch.zeros(3))


def test_renumber():
    codebook, rows, _ = fitted()
    labels = codebook.assign(rows)
    ids = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    codebook.renumber(ids.numpy())
    assert torch.equal(codebook.assign(rows), ids[labels])


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


def test_state_dict_round_trip(tmp_path):
    codebook, rows, _ = fitted()
    assert set(codebook.state_dict()) == set(BUFFERS)
    assert not list(codebook.parameters())
    torch.save(codebook.state_dict(), tmp_path / 'state.pth')
    again = Codebook(7, 12, 5)
    again.load_state_dict(torch.load(tmp_path / 'state.pth'))
    assert torch.equal(again.assign(rows), codebook.assign(rows))
