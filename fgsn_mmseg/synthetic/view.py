"""A grid of rays, through one point or parallel."""

from __future__ import annotations

import numpy as np

from .camera import Camera


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
