"""How much a cluster tells about the human class: the paper's first table.

All figures are read off one contingency table, (K, C) counts of pixels by
cluster and class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def cluster_class_counts(
    label_map: ArrayLike,
    class_map: ArrayLike,
    num_classes: int,
    ignore_index: int = 255,
) -> tuple[np.ndarray, np.ndarray]:
    """Count the pixels of each cluster and class that occur together.

    Sparse: one image shows few of the K x C combinations.

    Args:
        label_map: (H, W) cluster ids; pixels below 0 are ignored.
        class_map: (H, W) class ids; pixels of `ignore_index` are ignored.
        num_classes: C.
        ignore_index: Class id of pixels without a class. It says nothing
            about the clusters: cluster 255 is an ordinary one.

    Returns:
        codes: (n,) int64, ``cluster * num_classes + class``, sorted.
        counts: (n,) int64, pixels of each code.

    Raises:
        ValueError: The shapes differ or a class is outside [0, C).
    """
    labels, classes = np.asarray(label_map), np.asarray(class_map)
    if labels.shape != classes.shape:
        raise ValueError(
            f'`label_map` should be of the shape of `class_map`, '
            f'{classes.shape}, but got {labels.shape}. Predict at the size '
            'of the annotation.'
        )
    keep = (classes != ignore_index) & (labels >= 0)
    labels = labels[keep].astype(np.int64)
    classes = classes[keep].astype(np.int64)
    if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
        raise ValueError(
            f'`class_map` should hold classes in [0, {num_classes}) or '
            f'ignore_index={ignore_index}, but got values from '
            f'{classes.min()} to {classes.max()}. Convert ids to train ids.'
        )
    return np.unique(labels * num_classes + classes, return_counts=True)


def contingency_table(
    codes: ArrayLike, counts: ArrayLike, num_classes: int
) -> np.ndarray:
    """Sum counts by code into a table of clusters and classes.

    Args:
        codes: (n,) codes of one or more images, repeats allowed.
        counts: (n,) their pixels.
        num_classes: C.

    Returns:
        (K', C) int64, where K' is the largest cluster id + 1. A table for
        10,000 clusters and 19 classes takes 1.5 MB.
    """
    codes = np.asarray(codes, dtype=np.int64)
    num_clusters = int(codes.max()) // num_classes + 1 if codes.size else 1
    table = np.zeros(num_clusters * num_classes, dtype=np.int64)
    np.add.at(table, codes, np.asarray(counts, dtype=np.int64))
    return table.reshape(num_clusters, num_classes)


def normalized_mutual_information(table: ArrayLike) -> float:
    """Mutual information of cluster and class over the mean of both entropies.

    ``2 I / (H(cluster) + H(class))``: the arithmetic mean, scikit-learn's
    default. It does not depend on the base of the logarithm.

    Args:
        table: (K, C) counts.

    Returns:
        NMI in [0, 1]. 0 where nothing can be told: no pixel, or one cluster
        or one class only.
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.sum() == 0:
        return 0.0
    joint = counts / counts.sum()
    clusters, classes = _entropy(joint.sum(1)), _entropy(joint.sum(0))
    information = clusters + classes - _entropy(joint.ravel())
    if clusters == 0 or classes == 0:
        return 0.0
    return float(np.clip(2 * information / (clusters + classes), 0, 1))


def purity(table: ArrayLike) -> float:
    """Share of pixels whose class is the most frequent one of their cluster.

    Args:
        table: (K, C) counts.

    Returns:
        Purity in [0, 1]; 0 where there is no pixel.
    """
    counts = np.asarray(table)
    total = counts.sum()
    return float(counts.max(axis=1).sum() / total) if total else 0.0


def majority_vote_iou(table: ArrayLike) -> np.ndarray:
    """Intersection over union after giving each cluster its majority class.

    The vote and the score are taken on the same pixels: a figure for what
    the clusters contain, not for a classifier on unseen images. At a tie the
    lower class id wins.

    Args:
        table: (K, C) counts.

    Returns:
        (C,) IoU in [0, 1]; NaN for a class that no pixel has and no cluster
        was given, as in mmseg.
    """
    counts = np.asarray(table, dtype=np.float64)
    used = counts.sum(axis=1) > 0
    votes = np.zeros_like(counts)
    votes[used, counts[used].argmax(axis=1)] = 1
    intersection = (counts * votes).sum(axis=0)
    predicted = (counts.sum(axis=1, keepdims=True) * votes).sum(axis=0)
    union = predicted + counts.sum(axis=0) - intersection
    iou = np.full(counts.shape[1], np.nan)
    return np.divide(intersection, union, out=iou, where=union > 0)


def _entropy(shares: np.ndarray) -> float:
    """Entropy in bits of shares that sum to 1."""
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
