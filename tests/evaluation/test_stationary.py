import numpy as np
import pytest
import torch

from fgsn_mmseg.evaluation import count_at_points, stationary_clusters

LABEL_MAP = np.array([[0, 0, 1, 1, 2], [0, 3, 3, 1, 2], [5, 5, 5, 5, 5]])


def naive_counts(label_map, points, num_clusters):
    height, width = label_map.shape
    hit = set()
    for x, y in points:
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        if 0 <= column < width and 0 <= row < height:
            hit.add((row, column))
    at_points, elsewhere = [0] * num_clusters, [0] * num_clusters
    for row in range(height):
        for column in range(width):
            counts = at_points if (row, column) in hit else elsewhere
            counts[label_map[row, column]] += 1
    return at_points, elsewhere


def test_counts_by_hand():
    points = [
        (2.0, 0.0),  # label 1
        (2.4, -0.4),  # the same pixel again
        (3.5, 0.5),  # halves go up: column 4, row 1, label 2
        (-0.5, 0.0),  # column 0: still inside
        (-0.6, 0.0),  # outside
        (4.5, 0.0),  # column 5: outside
        (0.0, 2.5),  # row 3: outside
        (np.nan, 1.0),
    ]
    at_points, elsewhere = count_at_points(LABEL_MAP, points, 6)
    assert at_points.tolist() == [1, 1, 1, 0, 0, 0]
    assert elsewhere.tolist() == [2, 2, 1, 2, 0, 5]
    assert at_points.dtype == elsewhere.dtype == np.int64


def test_counts_against_a_naive_loop():
    rng = np.random.default_rng(0)
    label_map = rng.integers(0, 300, (13, 29))
    points = rng.uniform(-3, 32, (200, 2))
    for got, expected in zip(
        count_at_points(label_map, points, 300),
        naive_counts(label_map, points, 300),
    ):
        assert got.tolist() == expected


def test_tensors_no_points_and_16_bit_maps():
    at_points, elsewhere = count_at_points(
        torch.from_numpy(LABEL_MAP), torch.zeros(0, 2), 6
    )
    assert at_points.sum() == 0
    assert elsewhere.sum() == LABEL_MAP.size
    at_points, _ = count_at_points(
        LABEL_MAP.astype(np.uint16), torch.tensor([[2.0, 0.0]]), 6
    )
    assert at_points.tolist() == [0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize('ignored, dtype', [(-1, int), (65535, np.uint16)])
def test_ignored_pixels_are_in_neither_count(ignored, dtype):
    label_map = np.array([[255, ignored], [ignored, 255]]).astype(dtype)
    at_points, elsewhere = count_at_points(label_map, [[0, 0], [1, 0]], 300)
    assert at_points.sum() == at_points[255] == 1
    assert elsewhere.sum() == elsewhere[255] == 1


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match='`label_map` should be of shape'):
        count_at_points(LABEL_MAP[0], [[0, 0]], 6)
    with pytest.raises(ValueError, match='`points` should be of shape'):
        count_at_points(LABEL_MAP, [0, 0], 6)
    with pytest.raises(ValueError, match=r'ids in \[0, 5\)'):
        count_at_points(LABEL_MAP, [[0, 0]], 5)
    with pytest.raises(ValueError, match='one shape'):
        stationary_clusters([1, 2], [1])


def test_stationary_clusters_by_hand():
    at_points = [1, 1, 0, 0, 7, 2]
    elsewhere = [99, 98, 50, 0, 0, 197]
    # Shares: 1/100 (not above), 1/99, 0, no pixel, 1, 2/199.
    assert stationary_clusters(at_points, elsewhere) == [1, 4, 5]
    assert stationary_clusters(at_points, elsewhere, 0.5) == [4]
    assert stationary_clusters([0, 0], [0, 0]) == []
