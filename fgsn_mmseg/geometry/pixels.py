"""Pixels of the file, of the resized image, of a crop: numpy, in the loader.

A position is 0 at the centre of the first pixel of the image that is meant:
the pixels of an axis of n fill [-0.5, n - 0.5). Points are (N, 2), x then y;
sizes are (height, width); a scale is new length over old length, x then y.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Size = Sequence[int]
"""Height and width."""


def resize_points(points: ArrayLike, scale: ArrayLike) -> np.ndarray:
    """Points of an image in the same image resized.

    Args:
        points: (N, 2) x and y.
        scale: (2,) for x and y, or one number for both.

    Returns:
        (N, 2) float64.
    """
    scale = np.asarray(scale, np.float64)
    return (np.asarray(points, np.float64) + 0.5) * scale - 0.5


def unresize_points(points: ArrayLike, scale: ArrayLike) -> np.ndarray:
    """Inverse of :func:`resize_points`: where they were before."""
    scale = np.asarray(scale, np.float64)
    return (np.asarray(points, np.float64) + 0.5) / scale - 0.5


def flip_points(points: np.ndarray, width: int) -> np.ndarray:
    """Points (N, 2) of an image in the same image flipped left to right."""
    return np.stack([width - 1 - points[:, 0], points[:, 1]], axis=1)


def nearest_pixels(points: ArrayLike) -> np.ndarray:
    """Pixels (N, 2) int64 nearest to points (N, 2), rounded half up.

    They need not lie in an image, see :func:`inside_image`.
    """
    return np.floor(np.asarray(points, np.float64) + 0.5).astype(np.int64)


def inside_image(points: np.ndarray, size: Size) -> np.ndarray:
    """Which points lie on the area of an image's pixels.

    Args:
        points: (N, 2) x and y; NaN lies nowhere.
        size: (H, W) of the image; more lengths are ignored.

    Returns:
        (N,) bool.
    """
    limits = np.array([size[1], size[0]]) - 0.5
    return np.all((points >= -0.5) & (points < limits), axis=1)


def resized_size(size: Size, short_side: int) -> tuple[int, int]:
    """(H', W') of an image whose short side becomes ``short_side``."""
    factor = short_side / min(size[:2])
    height, width = (max(int(x * factor + 0.5), 1) for x in size[:2])
    return height, width


def resize_scale(size: Size, new_size: Size) -> np.ndarray:
    """Scale (2,), x then y, from an image to its resized image."""
    return np.array([new_size[1] / size[1], new_size[0] / size[0]])


def crop_start(
    length: int, crop: int, point: float | None, draw: float
) -> int:
    """First pixel of a crop along one axis; negative where it is padded.

    The pixel of the point comes to ``crop // 2`` as far as the image reaches.
    An image that is shorter than the crop is padded evenly, the odd pixel
    goes to the far side, and the crop is placed in the padded image.

    Args:
        length: Length of the image.
        crop: Length of the crop.
        point: Position that the crop is to show; None takes any.
        draw: Random number in [0, 1) for a crop without a point.
    """
    before = max(crop - length, 0) // 2
    last = max(length - crop, 0)
    if point is None:
        start = int(draw * (last + 1))
    else:
        start = int(np.floor(point + 0.5)) + before - crop // 2
    return min(max(start, 0), last) - before


def crop_to_image(start: Size, scale: ArrayLike) -> np.ndarray:
    """Affine map from pixels of a crop to pixels of the image as stored.

    The crop begins at a pixel of the resized image: x of the image is
    (x + start + 0.5) / scale - 0.5.

    Args:
        start: (y, x) of the crop's first pixel in the resized image.
        scale: (2,), x then y, from the image to the resized image.

    Returns:
        (2, 3) float64, for ``cv2.warpAffine`` with ``WARP_INVERSE_MAP``.
    """
    first = np.array([[start[1], start[0]]])
    offset = unresize_points(first, scale).T
    return np.hstack([np.diag(1 / np.asarray(scale, np.float64)), offset])


def from_colmap(points: Any) -> Any:
    """COLMAP's pixels (centre of the first at 0.5) to ours (at 0).

    Args:
        points: Tensor or array (N, 2).

    Returns:
        The same type, (N, 2).
    """
    return points - 0.5


def to_colmap(points: Any) -> Any:
    """Inverse of :func:`from_colmap`."""
    return points + 0.5
