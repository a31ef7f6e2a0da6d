"""Which clusters lie on things that stay: the paper's stationary clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..geometry import inside_image, nearest_pixels
from .labelling import Labeller

# "No label", inside and on disk.
IGNORED = (-1, 65535)


def count_references(
    labeller: Labeller,
    pairs: Sequence[dict[str, Any]],
    num_clusters: int,
    on_map: Callable[[str, np.ndarray], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Count labels at correspondences and elsewhere, in files' pixels.

    Method, "which clusters are stationary": the label map of the reference
    image in the size of its file, whatever size the network works at. A
    photo of 3 million pixels has its correspondences spread over all of
    them: counted at a smaller size the shares would be larger.

    Args:
        labeller: Who gives the labels.
        pairs: ``img_path`` and ``points`` of each reference, see
            :func:`read_pairs` (the paper: every fifth validation pair).
        num_clusters: K.
        on_map: Called with the path and the label map of each reference.

    Returns:
        Two (K,) int64 arrays: pixels of each label at points, and elsewhere.
    """
    totals = np.zeros((2, num_clusters), np.int64)
    for pair in pairs:
        label_map = labeller(pair['img_path']).label_map()
        totals += count_at_points(label_map, pair['points'], num_clusters)
        if on_map is not None:
            on_map(pair['img_path'], label_map)
    return totals[0], totals[1]


def count_at_points(
    label_map: ArrayLike, points: ArrayLike, num_clusters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count the labels at correspondences and everywhere else in one image.

    A point counts for the pixel nearest to it (halves are rounded up); a
    pixel hit by several points counts once, points outside the map not at
    all. Ignored pixels (-1 or 65535) are in neither count.

    Args:
        label_map: (H, W) cluster ids.
        points: (N, 2) x, y in pixels of the map, 0 = centre of the first.
        num_clusters: K.

    Returns:
        Two (K,) int64 arrays: pixels of each label at points, and elsewhere.

    Raises:
        ValueError: A shape is wrong or a label is outside [0, K).
    """
    labels = np.asarray(label_map)
    if labels.ndim != 2:
        raise ValueError(
            f'`label_map` should be of shape (H, W), but got {labels.shape}. '
            'Pass the map of one image.'
        )
    labels = labels.astype(np.int64)
    at_point = _points_mask(points, labels.shape)
    labelled = ~np.isin(labels, IGNORED)
    at_points = labels[at_point & labelled]
    elsewhere = labels[~at_point & labelled]
    for part in (at_points, elsewhere):
        if part.size and not 0 <= part.min() <= part.max() < num_clusters:
            raise ValueError(
                f'`label_map` should hold ids in [0, {num_clusters}), but '
                f'got values from {part.min()} to {part.max()}. Check '
                '`num_clusters`.'
            )
    return (
        np.bincount(at_points, minlength=num_clusters),
        np.bincount(elsewhere, minlength=num_clusters),
    )


def _points_mask(points: ArrayLike, size: tuple[int, ...]) -> np.ndarray:
    """Mark the pixels nearest to points.

    Args:
        points: (N, 2) x, y in pixels, 0 = centre of the first pixel.
        size: (H, W).

    Returns:
        (H, W) bool, True where at least one point falls.
    """
    positions = np.asarray(points, dtype=np.float64)
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise ValueError(
            f'`points` should be of shape (N, 2), but got {positions.shape}. '
            'Each row is x, y.'
        )
    # A NaN lies nowhere and is dropped.
    inside = inside_image(positions, size)
    columns, rows = nearest_pixels(positions[inside]).T
    mask = np.zeros(size, dtype=bool)
    mask[rows, columns] = True
    return mask


def stationary_clusters(
    at_points: ArrayLike, elsewhere: ArrayLike, threshold: float = 0.01
) -> list[int]:
    """Clusters of which enough pixels carry a correspondence.

    Correspondences come from structure-from-motion over months: they lie on
    things that stay, not on sky, cars or people. Localization ignores the
    clusters that are not returned here.

    Args:
        at_points: (K,) pixels of each label at correspondences, summed over
            images (the paper: every fifth validation pair's reference).
        elsewhere: (K,) pixels of each label everywhere else.
        threshold: A cluster is stationary if its share of pixels at
            correspondences is above this. Defaults to 0.01.

    Returns:
        Sorted ids. A cluster without a pixel is not among them.

    Raises:
        ValueError: The two arrays are not both of shape (K,).
    """
    hits = np.asarray(at_points, dtype=np.float64)
    rest = np.asarray(elsewhere, dtype=np.float64)
    if hits.ndim != 1 or hits.shape != rest.shape:
        raise ValueError(
            '`at_points` and `elsewhere` should be of one shape (K,), but '
            f'got {hits.shape} and {rest.shape}. Sum the results of '
            '`count_at_points` over the images.'
        )
    total = hits + rest
    share = np.divide(hits, total, out=np.zeros_like(hits), where=total > 0)
    return np.flatnonzero(share > threshold).tolist()
