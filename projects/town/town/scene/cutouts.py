"""Outlines that are not the whole primitive: signs, people, leaves."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..noise import smooth_noise
from .primitives import Cutout

_BRANCH_MASK = 256
_KINDS_OF_TREES = 4


def solid(
    cutout: Cutout,
    a: np.ndarray,
    b: np.ndarray,
    params: np.ndarray,
    leaf_density: float,
) -> np.ndarray:
    """Which samples of a primitive stop a ray.

    Args:
        cutout: Kind of outline.
        a: First texture coordinates, any shape; also outside the outline.
        b: Second texture coordinates, same shape.
        params: (12,) parameters of the primitive.
        leaf_density: Share of a crown that is solid, 0..1.

    Returns:
        Bool of the same shape.
    """
    if cutout == Cutout.TRIANGLE:
        return b < 1 - np.abs(2 * a - 1)
    if cutout == Cutout.DISC:
        return (a - 0.5) ** 2 + (b - 0.5) ** 2 < 0.25
    if cutout == Cutout.TRAPEZOID:
        left, right = params[10], params[11]
        return (a > left * b) & (a < 1 - right * b)
    if cutout == Cutout.PERSON:
        return _person(a, b, params[3])
    if cutout == Cutout.PICKETS:
        # params[3]: pickets on the whole length; two rails behind them.
        picket = np.abs((a * params[3]) % 1 - 0.5) < 0.3
        rail = (np.abs(b - 0.25) < 0.05) | (np.abs(b - 0.75) < 0.05)
        return picket | rail
    if cutout == Cutout.BRANCHES:
        mask = _branches(int(params[3]) % _KINDS_OF_TREES)
        last = _BRANCH_MASK - 1
        col = (np.clip(a, 0, 1) * last).astype(np.int32)
        row = (np.clip(b, 0, 1) * last).astype(np.int32)
        return mask[row, col]
    a = np.nan_to_num(a, posinf=0, neginf=0)
    b = np.nan_to_num(b, posinf=0, neginf=0)
    if cutout == Cutout.LEAVES:
        coarse = smooth_noise(a * 2.2 + params[3], b * 2.2 + 40)
        fine = smooth_noise(a * 6 + 40, b * 6 + params[3])
        return 0.5 * coarse + 0.5 * fine < 0.16 + 0.44 * leaf_density
    # Tree line: params[3] shifts the noise, params[4] is the length.
    along = a * params[4] / 9 + params[3]
    top = 0.45 + 0.4 * smooth_noise(along, along * 0)
    top = top + 0.15 * smooth_noise(along * 5, along * 0 + 3)
    return b < top


def _person(a: np.ndarray, b: np.ndarray, stride: float) -> np.ndarray:
    """Head, trunk with arms, and two legs `stride` apart (0..1)."""
    x = a - 0.5
    head = (x / 0.15) ** 2 + ((b - 0.92) / 0.075) ** 2 < 1
    neck = (np.abs(x) < 0.06) & (b > 0.8) & (b < 0.9)
    shoulder = 0.36 - 0.3 * np.clip(b - 0.72, 0, 1)
    body = (np.abs(x) < np.minimum(shoulder, 0.3)) & (b > 0.48) & (b < 0.84)
    open_by = stride * 0.3 * np.clip(0.5 - b, 0, 0.5) / 0.5
    legs = (np.abs(np.abs(x) - 0.1 - open_by) < 0.095) & (b <= 0.5)
    return head | neck | body | legs


@cache
def _branches(kind: int) -> np.ndarray:
    """(256, 256) bool, a bare tree; row 0 is where the trunk ends."""
    rng = np.random.default_rng([31, kind])
    n = _BRANCH_MASK
    mask = np.zeros((n, n), dtype=bool)
    yy, xx = np.mgrid[:n, :n] / n
    open_ends = [(0.5, 0.0, np.pi / 2, 0.26, 0.020, 0)]
    while open_ends:
        x, y, angle, length, width, level = open_ends.pop()
        ex = x + length * np.cos(angle)
        ey = y + length * np.sin(angle)
        rows, cols = _span(y, ey, width), _span(x, ex, width)
        px, py = xx[rows, cols] - x, yy[rows, cols] - y
        share = px * (ex - x) + py * (ey - y)
        share = np.clip(share / length**2, 0, 1)
        gap = np.hypot(px - share * (ex - x), py - share * (ey - y))
        mask[rows, cols] |= gap < width * (1 - 0.4 * share)
        if level == 5:
            continue
        for _ in range(3 if level < 3 else 2):
            turn = rng.normal(0, 0.55)
            bend = 0.15 * (np.pi / 2 - angle)
            shrink = rng.uniform(0.62, 0.85)
            open_ends.append(
                (
                    ex,
                    ey,
                    angle + turn + bend,
                    length * shrink,
                    max(width * 0.62, 0.0022),
                    level + 1,
                )
            )
    return mask


def _span(start: float, end: float, width: float) -> slice:
    """Rows or columns of the mask that a branch can touch."""
    low, high = min(start, end) - width, max(start, end) + width
    n = _BRANCH_MASK
    return slice(int(np.clip(low * n, 0, n)), int(np.clip(high * n + 2, 0, n)))
