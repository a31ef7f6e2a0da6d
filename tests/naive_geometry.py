"""The formulas of the method for points and cells, one number at a time."""

from __future__ import annotations

import math


def naive_cell(value, length, cells, grid):
    """Nearest cell along one axis, rounded half up."""
    if grid == 'corners':
        position = value * (cells - 1) / (length - 1)
    elif grid == 'centers':
        position = (value + 0.5) * cells / length - 0.5
    else:
        # The authors round points to whole pixels first.
        position = math.floor(value + 0.5) * cells / length
    return math.floor(position + 0.5)


def naive_matches(points, points2, sizes, maps, grid):
    """((x, y), (x2, y2)) of the correspondences inside both maps.

    Args:
        sizes: (H, W) of both images.
        maps: (h, w) of both maps.

    Returns:
        Cells, and the indices of the correspondences.
    """
    found, indices = [], []
    for i, pair in enumerate(zip(points.tolist(), points2.tolist())):
        cells = [
            (naive_cell(x, W, w, grid), naive_cell(y, H, h, grid))
            for (x, y), (H, W), (h, w) in zip(pair, sizes, maps)
        ]
        if all(
            0 <= x < w and 0 <= y < h for (x, y), (h, w) in zip(cells, maps)
        ):
            found.append(cells)
            indices.append(i)
    return found, indices


def naive_bilinear(maps, x, y):
    """Value of maps (C, h, w) at a fractional cell, clamped to the map."""
    height, width = maps.shape[-2:]
    x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    a, b = x - left, y - top
    return (
        maps[:, top, left] * (1 - a) * (1 - b)
        + maps[:, top, left + 1] * a * (1 - b)
        + maps[:, top + 1, left] * (1 - a) * b
        + maps[:, top + 1, left + 1] * a * b
    )
