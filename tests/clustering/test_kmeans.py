import faiss
import numpy as np
import pytest

from fgsn_mmseg.clustering import (
    kmeans,
    nearest_centroids,
)
from fgsn_mmseg.clustering.kmeans import repair_empty


def test_duplicates_leave_no_cluster_empty():
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


def test_fewer_places_than_clusters():
    rows = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2, 2, 2]]
    centroids = kmeans(rows, 5)
    assert np.isfinite(centroids).all()
    assert len(np.unique(nearest_centroids(rows, centroids)[1])) == 3


def test_repair_by_hand():
    rows = np.array([[0.0], [1.0], [10.0], [12.0]], np.float32)
    centroids = np.array([[0.5], [11.0], [99.0]], np.float32)
    # 10 and 12 are served worst (1 each); the first of them is taken.
    repaired = repair_empty(rows, centroids)
    assert repaired.tolist() == [[0.5], [11.0], [10.0]]
    assert centroids[2] == 99  # the argument stays


def test_repair_takes_no_ones_only_feature():
    rows = np.array([[0.0], [0.2], [50.0]], np.float32)
    centroids = np.array([[0.1], [40.0], [999.0]], np.float32)
    repaired = repair_empty(rows, centroids)
    assert repaired[1] == 40
    assert sorted(nearest_centroids(rows, repaired)[1]) == [0, 1, 2]


def test_all_points_are_used():
    # faiss alone keeps 256 points for each centroid.
    rows = np.random.default_rng(0).normal(size=(3000, 2))
    centroids = kmeans(rows.astype(np.float32), 1)
    np.testing.assert_allclose(centroids[0], rows.mean(0), atol=1e-4)


def test_nearest_against_naive():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(50, 3)).astype(np.float32)
    centroids = rng.normal(size=(9, 3)).astype(np.float32)
    distances, ids = nearest_centroids(rows, centroids)
    for row, distance, id_ in zip(rows, distances, ids):
        squared = [float(((row - c) ** 2).sum()) for c in centroids]
        assert id_ == int(np.argmin(squared))
        assert distance == pytest.approx(min(squared), abs=1e-5)


@pytest.mark.parametrize('count', [0, 4])
def test_too_few(count):
    with pytest.raises(ValueError, match=f'only {count} were given'):
        kmeans(np.zeros((count, 2), np.float32), 5)


def test_starts_from_given_centroids():
    """No iteration but the first moves a start that is already right."""
    rng = np.random.default_rng(3)
    places = 10 * np.eye(6, dtype=np.float32)
    rows = np.repeat(places, 30, 0)
    rows += 0.1 * rng.normal(size=rows.shape).astype(np.float32)
    start = places[rng.permutation(6)]
    centroids = kmeans(rows, 6, init=start)
    assert np.abs(centroids - start).max() < 0.1
    for seed in (0, 1):  # nothing is drawn
        assert (kmeans(rows, 6, seed=seed, init=start) == centroids).all()


def test_start_of_another_shape():
    with pytest.raises(ValueError, match=r'shape \(5, 2\), but got \(4, 2'):
        kmeans(np.eye(9, 2, dtype=np.float32), 5, init=np.zeros((4, 2)))


@pytest.mark.parametrize('iterations', [1, 2, 5])
def test_as_many_iterations_as_asked_for(iterations):
    """Lloyd's algorithm by loops, from given centroids."""
    rng = np.random.default_rng(4)
    features = rng.normal(size=(60, 3)).astype(np.float32)
    start = features[:4].copy()
    expected = start.astype(np.float64)
    for _ in range(iterations):
        groups = [[] for _ in expected]
        for row in features:
            distances = ((expected - row) ** 2).sum(1)
            groups[int(distances.argmin())].append(row)
        expected = np.array([np.mean(group, axis=0) for group in groups])
    found = kmeans(features, 4, iterations, seed=0, init=start)
    np.testing.assert_allclose(found, expected, atol=1e-5)
