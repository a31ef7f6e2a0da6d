import itertools

import numpy as np
import pytest

from fgsn_mmseg.clustering import label_means, match_clusters
from fgsn_mmseg.clustering.relabelling import shared_counts


def test_counts_by_hand():
    counts = shared_counts([0, 0, 2, -1, 1], [1, 1, 0, 0, -1], 3)
    assert counts.tolist() == [[0, 2, 0], [0, 0, 0], [1, 0, 0]]


def test_renamed_clusters_are_found_again():
    rng = np.random.default_rng(0)
    old = rng.integers(0, 300, 5000)
    names = rng.permutation(300)
    ids, kept = match_clusters(old, names[old], 300)
    assert (ids[names[old]] == old).all() and kept.all()


def test_hand_computed():
    # New 0 is old 3; new 1 shares most with old 3 too, and gets old 0; new 2
    # had no label; new 3 shares nothing that is left.
    old = [3, 3, 3, 3, 3, 0, -1, -1, 3]
    new = [0, 0, 0, 1, 1, 1, 2, 2, 3]
    ids, kept = match_clusters(old, new, 4)
    assert ids.tolist() == [3, 0, 1, 2]
    assert kept.tolist() == [True, False, False, True]


def test_against_all_permutations():
    rng = np.random.default_rng(1)
    for _ in range(5):
        old, new = rng.integers(-1, 5, 30), rng.integers(0, 5, 30)
        ids, _ = match_clusters(old, new, 5)
        best = max(
            sum(permutation[n] == o for o, n in zip(old, new))
            for permutation in itertools.permutations(range(5))
        )
        assert sorted(ids) == list(range(5))
        assert (ids[new] == old).sum() == best


@pytest.mark.parametrize(
    'labels, expected', [(([0, 1], [0]), 'one shape'), (([3], [0]), 'got 3')]
)
def test_labels_that_cannot_be(labels, expected):
    with pytest.raises(ValueError, match=expected):
        match_clusters(*labels, 3)


def test_means_against_naive():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(40, 3)).astype(np.float32)
    labels = rng.integers(-1, 6, 40)
    labels[labels == 4] = 2
    means = label_means(rows, labels, 6, seed=3)
    for k in (0, 1, 2, 3, 5):
        np.testing.assert_allclose(
            means[k], rows[labels == k].mean(0), atol=1e-5
        )
    assert any((means[4] == row).all() for row in rows)
    np.testing.assert_array_equal(means, label_means(rows, labels, 6, 3))
