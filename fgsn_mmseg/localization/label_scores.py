"""What one equal or unequal pair of labels says about a match."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

# "No label", inside and on disk.
NO_LABEL = -1
_NO_LABEL_ON_DISK = 65535


def as_labels(labels: ArrayLike, name: str) -> np.ndarray:
    """Labels as int64, with -1 where there is none.

    Args:
        labels: Integers of any shape; negative or 65535 is no label.
        name: Name of the argument, for the error.

    Returns:
        int64 of the same shape.

    Raises:
        ValueError: They are not integers.
    """
    array = np.asarray(labels)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in 'iu':
        raise ValueError(
            f'`{name}` should be integers, but got {array.dtype}.'
        )
    array = array.astype(np.int64)
    array[(array < 0) | (array == _NO_LABEL_ON_DISK)] = NO_LABEL
    return array


def equality_scores(labels2d: ArrayLike, labels3d: ArrayLike) -> np.ndarray:
    """Score 1 where both labels are equal, else 0.

    Args:
        labels2d: (N,) labels of pixels, -1 where there is none.
        labels3d: (N,) labels of their points, -1 where there is none.

    Returns:
        (N,) float64.
    """
    query = np.asarray(labels2d)
    mapped = np.asarray(labels3d)
    return ((query == mapped) & (query != NO_LABEL)).astype(np.float64)


def rarity_scores(
    labels2d: ArrayLike, labels3d: ArrayLike, agreement: float = 0.5
) -> np.ndarray:
    """Log likelihood ratios when no table was learned.

    A right match has one label at both ends with probability ``agreement``,
    else its labels are paired by chance, as those of a wrong match are; how
    often each label occurs is taken from these matches themselves. So a
    shared rare label says much, a shared common one little:
    log(agreement / p3d(label) + 1 - agreement); unequal labels score
    log(1 - agreement), a pixel or a point without label 0.

    Args:
        labels2d: (N,) labels of pixels, -1 where there is none.
        labels3d: (N,) labels of their points, -1 where there is none.
        agreement: Share of right matches with equal labels, in (0, 1).

    Returns:
        (N,) float64, natural logarithms.

    Raises:
        ValueError: ``agreement`` is out of its range.
    """
    if not 0 < agreement < 1:
        raise ValueError(
            f'`agreement` should be between 0 and 1, but got {agreement!r}.'
        )
    query = np.asarray(labels2d)
    mapped = np.asarray(labels3d)
    known = (query != NO_LABEL) & (mapped != NO_LABEL)
    scores = np.zeros(len(query))
    if not known.any():
        return scores
    names, index = np.unique(mapped[known], return_inverse=True)
    share = np.bincount(index, minlength=len(names)) / known.sum()
    scores[known] = np.where(
        query[known] == mapped[known],
        np.log(agreement / share[index] + 1 - agreement),
        np.log(1 - agreement),
    )
    return scores
