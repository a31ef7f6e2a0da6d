"""Z-buffer rendering of a scene: what is seen where, and how far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..scene.cutouts import solid
from ..scene.primitives import Cutout, Scene, Shape
from .rays import View, intersect

NEAR = 0.15
# Plain numbers: looking up a member of an enum takes longer than a division.
_QUAD, _CYLINDER, _FULL = (
    int(Shape.QUAD),
    int(Shape.CYLINDER),
    int(Cutout.FULL),
)
_EDGES = [(i, i | bit) for i in range(8) for bit in (1, 2, 4) if not i & bit]


@dataclass
class Buffers:
    """What a ray through each sample meets first.

    Attributes:
        depth: (h, w) float32 depth, metres; infinite where nothing is met.
        object_id: (h, w) int32 primitive, -1 where nothing is met.
        a: (h, w) float32 first texture coordinate.
        b: (h, w) float32 second texture coordinate.
    """

    depth: np.ndarray
    object_id: np.ndarray
    a: np.ndarray
    b: np.ndarray


def render(
    view: View, scene: Scene, visible: np.ndarray, leaf_density: float = 1.0
) -> Buffers:
    """Find the nearest primitive along each ray.

    Args:
        view: Rays.
        scene: Primitives.
        visible: (P,) bool, primitives that take part.
        leaf_density: Share of a crown's surface that stops a ray, 0..1.

    Returns:
        Buffers of the size of the view.
    """
    shape = len(view.ys), len(view.xs)
    out = Buffers(
        np.full(shape, np.inf, np.float32),
        np.full(shape, -1, np.int32),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
    )
    boxes, nearest = _screen_boxes(view, scene, visible)
    for index in np.argsort(nearest, kind='stable'):
        if not np.isfinite(nearest[index]):
            break
        x0, x1, y0, y1 = boxes[index]
        window = slice(y0, y1), slice(x0, x1)
        if out.depth[window].max() <= nearest[index]:
            continue
        depth, a, b = intersect(view, scene, index, window)
        hit = (depth > NEAR) & (depth < out.depth[window])
        if scene.shape[index] == _QUAD:
            hit &= (a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)
        elif scene.shape[index] == _CYLINDER:
            hit &= (b >= 0) & (b <= 1)
        if scene.cutout[index] != _FULL and hit.any():
            params = scene.params[index]
            cut = Cutout(scene.cutout[index])
            hit &= solid(cut, a, b, params, leaf_density)
        np.copyto(out.depth[window], depth, where=hit)
        np.copyto(out.a[window], a, where=hit)
        np.copyto(out.b[window], b, where=hit)
        out.object_id[window][hit] = index
    return out


def _bounding_corners(scene: Scene) -> np.ndarray:
    """(P, 8, 3) corners of a box around each primitive."""
    bits = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)])
    is_quad = (scene.shape == Shape.QUAD)[:, None, None]
    quads = (
        scene.corner[:, None]
        + bits[:, :1] * scene.edge_a[:, None]
        + bits[:, 1:2] * scene.edge_b[:, None]
    )
    half = np.where(
        (scene.shape == Shape.CYLINDER)[:, None],
        scene.edge_a[:, [0, 0, 1]],
        scene.edge_a,
    )
    rounds = (
        scene.corner[:, None]
        + (2 * bits - 1) * half[:, None]
        + bits[:, 2:] * scene.edge_b[:, None]
    )
    return np.where(is_quad, quads, rounds)


def _screen_boxes(
    view: View, scene: Scene, visible: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(P, 4) sample ranges x0, x1, y0, y1 and (P,) smallest depths.

    The depth is infinite where a primitive is out of sight.
    """
    local = (_bounding_corners(scene) - view.origin) @ view.rotation.T
    depth = local[..., 2]
    if view.parallel:
        flat = local[..., :2]
        usable = np.ones(depth.shape, bool)
    else:
        # Where an edge passes the near plane its crossing point takes part.
        i, j = np.array(_EDGES).T
        p, q = local[:, i], local[:, j]
        gap = q[..., 2] - p[..., 2]
        share = (NEAR - p[..., 2]) / np.where(gap == 0, 1, gap)
        crossing = p + share[..., None] * (q - p)
        crosses = (p[..., 2] < NEAR) != (q[..., 2] < NEAR)
        every = np.concatenate([local, crossing], axis=1)
        usable = np.concatenate([depth >= NEAR, crosses], axis=1)
        z = np.where(usable, every[..., 2], 1)
        flat = every[..., :2] / np.maximum(z, NEAR)[..., None]
    low = np.where(usable[..., None], flat, np.inf).min(1)
    high = np.where(usable[..., None], flat, -np.inf).max(1)
    seen = visible & usable.any(1)
    box = []
    for axis, grid in enumerate((view.xs, view.ys)):
        step = float(grid[1] - grid[0])
        with np.errstate(invalid='ignore'):
            first = np.ceil((low[:, axis] - grid[0]) / step - 0.01)
            last = np.floor((high[:, axis] - grid[0]) / step + 0.01)
        first = np.clip(np.nan_to_num(first), 0, len(grid))
        last = np.clip(np.nan_to_num(last) + 1, 0, len(grid))
        seen &= last > first
        box += [first.astype(int), last.astype(int)]
    seen &= ~(scene.one_sided & _turned_away(view, scene))
    nearest = depth.min(1)
    if not view.parallel:
        nearest = np.maximum(nearest, 0)
    return np.stack(box, 1), np.where(seen, nearest, np.inf)


def _turned_away(view: View, scene: Scene) -> np.ndarray:
    """(P,) whether a quad shows its back."""
    if view.parallel:
        return scene.normal @ view.rotation[2] >= 0
    return ((scene.corner - view.origin) * scene.normal).sum(1) >= 0
