"""What stays of the labels when features are clustered again."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment


def shared_counts(
    labels: ArrayLike, labels2: ArrayLike, num_clusters: int
) -> np.ndarray:
    """How many features have which two labels.

    Args:
        labels: (M,) in 0..K-1; a feature with a negative label in either is
            left out.
        labels2: (M,), the same.
        num_clusters: K.

    Returns:
        (K, K) int64, entry (i, j) of the features with labels i and j.

    Raises:
        ValueError: The shapes differ or a label is too large.
    """
    first, second = np.asarray(labels), np.asarray(labels2)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(
            '`labels` and `labels2` should be of one shape (M,), but got '
            f'{first.shape} and {second.shape}.'
        )
    known = (first >= 0) & (second >= 0)
    first = first[known].astype(np.int64)
    second = second[known].astype(np.int64)
    largest = max(first.max(initial=-1), second.max(initial=-1))
    if largest >= num_clusters:
        raise ValueError(
            f'`labels` should be below num_clusters={num_clusters}, but got '
            f'{largest}.'
        )
    counts = np.bincount(
        first * num_clusters + second, minlength=num_clusters**2
    )
    return counts.reshape(num_clusters, num_clusters)


def match_clusters(
    old_labels: ArrayLike, new_labels: ArrayLike, num_clusters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give new clusters the ids of the old ones that they continue.

    The one-to-one assignment in which most features keep their label. A new
    cluster that shares no feature with any old one left for it gets one of
    the free ids, in ascending order.

    Args:
        old_labels: (M,) in 0..K-1, negative where there was none.
        new_labels: (M,) of the same features, in 0..K-1.
        num_clusters: K. Time grows with its third power in the worst case.

    Returns:
        (K,) int64, the id that each new cluster gets, a permutation, and
        (K,) bool, whether the label of an *id* goes on (else it is new).

    Raises:
        ValueError: The shapes differ or a label is too large.
    """
    shared = shared_counts(new_labels, old_labels, num_clusters)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    goes_on = shared[rows, columns] > 0
    ids = np.full(num_clusters, -1)
    ids[rows[goes_on]] = columns[goes_on]
    kept = np.zeros(num_clusters, bool)
    kept[columns[goes_on]] = True
    ids[ids < 0] = np.flatnonzero(~kept)
    return ids, kept


def label_means(
    features: np.ndarray, labels: ArrayLike, num_clusters: int, seed: int = 0
) -> np.ndarray:
    """Mean feature of each label: where k-means starts to keep the labels.

    Args:
        features: (M, D) float32, M >= K.
        labels: (M,) in 0..K-1, negative where there is none.
        num_clusters: K.
        seed: Of the features that labels without any feature start from.

    Returns:
        (K, D) float32.
    """
    rows = torch.as_tensor(features)
    ids = torch.as_tensor(np.asarray(labels), dtype=torch.int64)
    known = ids >= 0
    ids = ids[known]
    sums = rows.new_zeros(num_clusters, rows.shape[1])
    sums.index_add_(0, ids, rows[known])
    counts = torch.bincount(ids, minlength=num_clusters)
    means = (sums / counts.clamp(min=1)[:, None]).numpy()
    absent = np.flatnonzero(counts.numpy() == 0)
    drawn = np.random.default_rng(seed).permutation(len(rows))[: len(absent)]
    means[absent] = features[drawn]
    return means
