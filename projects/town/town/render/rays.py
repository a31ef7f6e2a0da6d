"""A grid of rays, and where they meet one primitive."""

from __future__ import annotations

import numpy as np

from ..camera import Camera
from ..scene.primitives import Scene, Shape

# Share of an ellipsoid's half height beyond which it is near a pole.
POLAR = 0.7
Hits = tuple[np.ndarray, np.ndarray, np.ndarray]


class View:
    """Rays on a grid: through one point, or parallel.

    Args:
        rotation: (3, 3) world to view, rows right, down, forward.
        origin: (3,) world point of the view's centre.
        xs: (w,) horizontal ray coordinates: tangents, or metres if
            parallel.
        ys: (h,) vertical ray coordinates.
        parallel: Rays all along the forward axis.
    """

    def __init__(
        self,
        rotation: np.ndarray,
        origin: np.ndarray,
        xs: np.ndarray,
        ys: np.ndarray,
        parallel: bool = False,
    ) -> None:
        self.rotation = rotation
        self.origin = origin
        self.xs = xs.astype(np.float32)
        self.ys = ys.astype(np.float32)
        self.parallel = parallel
        right, down, forward = rotation.astype(np.float32)
        across = [
            right[i] * self.xs + (down[i] * self.ys)[:, None] for i in range(3)
        ]
        zero = np.float32(0)
        self.start = across if parallel else [zero] * 3
        self.direction = (
            list(forward)
            if parallel
            else [c + f for c, f in zip(across, forward)]
        )

    @classmethod
    def of_camera(cls, camera: Camera, step: float, margin: int) -> View:
        """Rays at every `step` pixels, `margin` rays beyond the centres."""
        count_x = round((camera.width - 1) / step) + 1 + 2 * margin
        count_y = round((camera.height - 1) / step) + 1 + 2 * margin
        cx, cy = camera.principal_point
        xs = ((np.arange(count_x) - margin) * step - cx) / camera.focal
        ys = ((np.arange(count_y) - margin) * step - cy) / camera.focal
        return cls(camera.rotation, camera.centre, xs, ys)

    def world(self, depth: np.ndarray) -> np.ndarray:
        """(3, h, w) float32 hit points relative to the view's origin."""
        return np.stack(
            [s + depth * d for s, d in zip(self.start, self.direction)]
        )


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
