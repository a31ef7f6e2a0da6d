"""Repeatable noise: fixed tiles looked up by position, and hashes."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

_SIZE = 1024


@cache
def _tile(cell: int) -> np.ndarray:
    """Smooth periodic noise (1024, 1024) in 0..1, a new value per cell."""
    rng = np.random.default_rng([77, cell])
    n = _SIZE // cell
    grid = rng.random((n, n), dtype=np.float32)
    grid = np.pad(grid, ((0, 1), (0, 1)), mode='wrap')
    at = np.arange(_SIZE, dtype=np.float32) / cell
    low = at.astype(int)
    f = at - low
    f = f * f * (3 - 2 * f)
    rows = grid[low] * (1 - f)[:, None] + grid[low + 1] * f[:, None]
    return rows[:, low] * (1 - f) + rows[:, low + 1] * f


def smooth_noise(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Value noise in 0..1 with features of size 1, period 128.

    Args:
        u: First coordinate, any shape.
        v: Second coordinate, same shape.

    Returns:
        float32 of the same shape.
    """
    tile = _tile(8)
    col = (u * 8).astype(np.int32) & (_SIZE - 1)
    row = (v * 8).astype(np.int32) & (_SIZE - 1)
    return tile[row, col]


def fractal_noise(
    u: np.ndarray, v: np.ndarray, octaves: int = 3
) -> np.ndarray:
    """Sum of octaves of `smooth_noise`, in 0..1, mean about 0.5."""
    total = np.zeros(np.shape(u), dtype=np.float32)
    weight = 0.0
    for k in range(octaves):
        gain = 0.5**k
        shift = 17.3 * k
        total += gain * smooth_noise(u * 2**k + shift, v * 2**k + shift)
        weight += gain
    return total / weight


def hash01(*numbers: ArrayLike) -> np.ndarray:
    """A value in 0..1 per tuple of whole numbers; float32."""
    total = np.full(1, 2166136261, np.uint32)  # arrays wrap in silence
    for n in numbers:
        part = np.atleast_1d(np.asarray(n)).astype(np.int64).astype(np.uint32)
        total = (total ^ part) * np.uint32(16777619)
        total = total ^ (total >> np.uint32(15))
    total = total * np.uint32(0x2C1B3C6D)
    total = total ^ (total >> np.uint32(12))
    return (total & np.uint32(0xFFFFFF)).astype(np.float32) / 2.0**24
