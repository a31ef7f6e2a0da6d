"""Checks of 2D-3D matches, and their scores by labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .label_scores import as_labels, equality_scores, rarity_scores
from .likelihood import LabelLikelihood

METHODS = ('ransac', 'ssmc', 'llr')


def check_matches(
    points2d: ArrayLike, points3d: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return matches as (N, 2) and (N, 3) float64, or raise ValueError."""
    pixels = np.asarray(points2d, dtype=np.float64)
    points = np.asarray(points3d, dtype=np.float64)
    # Of an empty list.
    pixels = pixels.reshape(0, 2) if pixels.shape == (0,) else pixels
    points = points.reshape(0, 3) if points.shape == (0,) else points
    for name, array, width in (
        ('points2d', pixels, 2),
        ('points3d', points, 3),
    ):
        if array.ndim != 2 or array.shape[1] != width:
            raise ValueError(
                f'`{name}` should have the shape (N, {width}), but got '
                f'{array.shape}.'
            )
        bad = ~np.isfinite(array).all(axis=1)
        if bad.any():
            raise ValueError(
                f'`{name}` should be finite, but got {bad.sum()} of '
                f'{len(array)} rows with NaN or infinity. Leave these '
                'matches out.'
            )
    if len(pixels) != len(points):
        raise ValueError(
            '`points2d` and `points3d` should be of one length, but got '
            f'{len(pixels)} and {len(points)}.'
        )
    return pixels, points


def check_confidence(confidence: ArrayLike, count: int) -> np.ndarray:
    """Return (N,) numbers in 0..1, or raise ValueError."""
    values = np.asarray(confidence, dtype=np.float64)
    # NaN compares as False.
    if values.shape != (count,) or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(
            f'`confidence` should be {count} numbers in 0..1, but got the '
            f'shape {values.shape} and values from '
            f'{values.min(initial=np.inf):g} to '
            f'{values.max(initial=-np.inf):g}.'
        )
    return values


def count_different(pixels: np.ndarray, points: np.ndarray) -> int:
    """Number of matches, each once: copies of one prove nothing."""
    return len(np.unique(np.hstack([pixels, points]), axis=0))


def match_scores(
    count: int,
    labels2d: ArrayLike | None,
    labels3d: ArrayLike | None,
    method: str,
    table: LabelLikelihood | None = None,
) -> np.ndarray | None:
    """Score matches by their labels; above 0 speaks for a right one.

    Args:
        count: N.
        labels2d: (N,) labels of the pixels.
        labels3d: (N,) labels of the points.
        method: One of :data:`METHODS`.
        table: Learned likelihoods, for ``'llr'``.

    Returns:
        (N,) scores, or None for ``'ransac'``.

    Raises:
        ValueError: The method is unknown, or labels are missing or not N.
    """
    if method not in METHODS:
        raise ValueError(
            f'`method` should be one of {METHODS}, but got {method!r}.'
        )
    if method == 'ransac':
        return None
    if labels2d is None or labels3d is None:
        raise ValueError(
            f'`labels2d` and `labels3d` should be given for {method!r}, but '
            'got None.'
        )
    query = as_labels(labels2d, 'labels2d')
    mapped = as_labels(labels3d, 'labels3d')
    for name, labels in (('labels2d', query), ('labels3d', mapped)):
        if labels.shape != (count,):
            raise ValueError(
                f'`{name}` should have the shape ({count},), one label a '
                f'match, but got {labels.shape}.'
            )
    if method == 'ssmc':
        return equality_scores(query, mapped)
    if table is not None:
        return table.scores(query, mapped)
    return rarity_scores(query, mapped)
