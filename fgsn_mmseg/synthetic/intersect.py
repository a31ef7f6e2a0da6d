"""Where the rays of a view meet one primitive."""

from __future__ import annotations

import numpy as np

from .scene import Scene, Shape
from .view import View

# Share of an ellipsoid's half height beyond which it is near a pole.
POLAR = 0.7

Hits = tuple[np.ndarray, np.ndarray, np.ndarray]


def intersect(view: View, scene: Scene, index: int, window: tuple) -> Hits:
    """Meet one primitive with the rays of a window.

    Args:
        view: Rays.
        scene: Primitives.
        index: Which primitive.
        window: Slices of rows and columns.

    Returns:
        Depths (h, w), float32 and possibly not finite where a ray misses,
        and texture coordinates a and b (h, w). Of a quad: shares of its
        edges, outside 0..1 beside it. Of a cylinder: angle in radians and
        share of the height. Of an ellipsoid: metres around it and
        metres above its centre; x and y from the centre near its poles.
    """
    with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
        if scene.shape[index] == Shape.QUAD:
            return _meet_quad(view, scene, index, window)
        if scene.shape[index] == Shape.CYLINDER:
            return _meet_cylinder(view, scene, index, window)
        return _meet_ellipsoid(view, scene, index, window)


def _meet_quad(view: View, scene: Scene, index: int, window: tuple) -> Hits:
    corner = view.rotation @ (scene.corner[index] - view.origin)
    normal = view.rotation @ scene.normal[index]
    dual_a = view.rotation @ scene.dual_a[index]
    dual_b = view.rotation @ scene.dual_b[index]
    xs = view.xs[window[1]]
    ys = view.ys[window[0]][:, None]

    def linear(vector: np.ndarray, constant: float) -> np.ndarray:
        vx, vy = np.float32(vector[0]), np.float32(vector[1])
        return vx * xs + (vy * ys + np.float32(constant))

    if view.parallel:
        slope = normal / (normal[2] if normal[2] else 1e-12)
        depth = linear(-slope, slope @ corner)
        a = linear(dual_a, -dual_a @ corner) + np.float32(dual_a[2]) * depth
        b = linear(dual_b, -dual_b @ corner) + np.float32(dual_b[2]) * depth
        return depth, a, b
    depth = np.float32(normal @ corner) / linear(normal, normal[2])
    a = depth * linear(dual_a, dual_a[2]) - np.float32(dual_a @ corner)
    b = depth * linear(dual_b, dual_b[2]) - np.float32(dual_b @ corner)
    return depth, a, b


def _rays(view: View, window: tuple) -> tuple[list, list]:
    """Start points and directions of the rays of a window, world axes."""
    start = [s[window] if np.ndim(s) else s for s in view.start]
    direction = [d[window] if np.ndim(d) else d for d in view.direction]
    return start, direction


def _nearest_root(
    a: np.ndarray, half_b: np.ndarray, c: np.ndarray
) -> np.ndarray:
    """Smaller root of a t^2 + 2 half_b t + c; not a number if none."""
    return (-half_b - np.sqrt(half_b * half_b - a * c)) / a


def _meet_cylinder(
    view: View, scene: Scene, index: int, window: tuple
) -> Hits:
    start, direction = _rays(view, window)
    foot = (scene.corner[index] - view.origin).astype(np.float32)
    radius = np.float32(scene.edge_a[index, 0])
    height = np.float32(scene.edge_b[index, 2])
    dx, dy, dz = direction
    mx, my, mz = (s - f for s, f in zip(start, foot))
    depth = _nearest_root(
        dx * dx + dy * dy,
        dx * mx + dy * my,
        mx * mx + my * my - radius * radius,
    )
    angle = np.arctan2(my + depth * dy, mx + depth * dx)
    return depth, angle, (mz + depth * dz) / height


def _meet_ellipsoid(
    view: View, scene: Scene, index: int, window: tuple
) -> Hits:
    start, direction = _rays(view, window)
    centre = (scene.corner[index] - view.origin).astype(np.float32)
    inverse = (1 / scene.edge_a[index]).astype(np.float32)
    d = [v * k for v, k in zip(direction, inverse)]
    m = [(s - c) * k for s, c, k in zip(start, centre, inverse)]
    depth = _nearest_root(
        d[0] * d[0] + d[1] * d[1] + d[2] * d[2],
        d[0] * m[0] + d[1] * m[1] + d[2] * m[2],
        m[0] * m[0] + m[1] * m[1] + m[2] * m[2] - np.float32(1),
    )
    x, y, z = (s + depth * v - c for s, v, c in zip(start, direction, centre))
    girth = np.float32(scene.edge_a[index, :2].mean())
    # Around the poles the angle has no use: leaves would be drawn out there.
    polar = np.abs(z) > np.float32(POLAR * scene.edge_a[index, 2])
    a = np.where(polar, x, girth * np.arctan2(y, x))
    return depth, a, np.where(polar, y, z)
