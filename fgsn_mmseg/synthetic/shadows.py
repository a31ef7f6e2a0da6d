"""Shadows of the sun, from a picture of the scene as the sun sees it."""

from __future__ import annotations

import numpy as np

from .raster import render
from .scene import Scene
from .view import View


class ShadowMap:
    """Depths along the rays of the sun over a square around a point.

    Args:
        scene: What throws shadows.
        visible: (P,) which primitives take part.
        sun: (3,) unit vector towards the sun.
        centre: (3,) world point in the middle.
        half: Half the side of the square, metres.
        size: Samples along a side.
        leaf_density: Share of a crown that stops light, 0..1.
    """

    def __init__(
        self,
        scene: Scene,
        visible: np.ndarray,
        sun: np.ndarray,
        centre: np.ndarray,
        half: float,
        size: int,
        leaf_density: float,
    ) -> None:
        right = np.cross(-sun, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(-sun, right), -sun])
        grid = (np.arange(size) + 0.5) / size * 2 * half - half
        # Start far above so that everything lies ahead.
        self.view = View(rotation, centre + 120 * sun, grid, grid, True)
        self.step = 2 * half / size
        self.depth = render(self.view, scene, visible, leaf_density).depth

    def lit(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Share of the sun that reaches points.

        Args:
            points: (n, 3) world points, metres.
            normals: (n, 3) unit normals.

        Returns:
            (n,) float32 in 0..1; 1 outside the square.
        """
        size = len(self.view.xs)
        moved = points + normals * np.float32(1.2 * self.step)
        offset = moved - self.view.origin.astype(np.float32)
        local = offset @ self.view.rotation.T.astype(np.float32)
        col = (local[:, 0] - self.view.xs[0]) / np.float32(self.step)
        row = (local[:, 1] - self.view.ys[0]) / np.float32(self.step)
        total = np.zeros(len(points), np.float32)
        for dx, dy in ((0.0, 0.0), (0.9, 0.4), (-0.4, 0.9), (-0.5, -0.8)):
            c = np.rint(col + dx).astype(np.int32)
            r = np.rint(row + dy).astype(np.int32)
            inside = (c >= 0) & (c < size) & (r >= 0) & (r < size)
            c, r = np.clip(c, 0, size - 1), np.clip(r, 0, size - 1)
            ahead = self.depth[r, c] + np.float32(0.05)
            total += ~inside | (ahead > local[:, 2])
        return total / 4
