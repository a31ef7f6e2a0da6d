"""Pinhole camera and the few rotations the town needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a world with z up.

    Camera axes: x right, y down, z forward. Pixel (0, 0) is the centre of
    the first pixel; COLMAP's coordinates are these plus 0.5.

    Attributes:
        width: Image width in pixels.
        height: Image height in pixels.
        focal: Focal length in pixels (square pixels, centre of the image
            as principal point).
        rotation: (3, 3) world to camera.
        translation: (3,) world to camera, metres.
    """

    width: int
    height: int
    focal: float
    rotation: np.ndarray
    translation: np.ndarray

    @property
    def principal_point(self) -> np.ndarray:
        """(2,) x, y of the optical axis in pixels, 0 = first centre."""
        return np.array([(self.width - 1) / 2, (self.height - 1) / 2])

    @property
    def centre(self) -> np.ndarray:
        """(3,) position of the camera in the world, metres."""
        return -self.rotation.T @ self.translation

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project world points.

        Args:
            points: (N, 3) world points, metres.

        Returns:
            (N, 2) pixels x, y and (N,) depths along the optical axis. A
            point behind the camera has a depth <= 0 and a pixel without
            meaning.
        """
        local = points @ self.rotation.T + self.translation
        depth = local[:, 2]
        safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        pixels = self.focal * local[:, :2] / safe[:, None]
        return pixels + self.principal_point, depth

    def back_project(
        self, pixels: np.ndarray, depth: np.ndarray
    ) -> np.ndarray:
        """World points (N, 3) of pixels (N, 2) at depths (N,)."""
        rays = (pixels - self.principal_point) / self.focal
        local = np.column_stack([rays, np.ones(len(rays))]) * depth[:, None]
        return (local - self.translation) @ self.rotation


def look_rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """World-to-camera rotation of a camera.

    Args:
        yaw: Heading in radians, 0 = along +x, positive = to the left (+y).
        pitch: Radians, positive = up.
        roll: Radians around the optical axis.

    Returns:
        (3, 3) rotation.
    """
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    forward = np.array([cy * cp, sy * cp, sp])
    right = np.array([sy, -cy, 0.0])
    down = np.cross(forward, right)
    cr, sr = np.cos(roll), np.sin(roll)
    return np.stack([cr * right + sr * down, cr * down - sr * right, forward])


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """(4,) unit quaternion w, x, y, z with w >= 0 of a rotation (3, 3)."""
    r = rotation
    # The symmetric matrix whose largest eigenvector is the quaternion: no
    # case distinction and no division by a small number.
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
            [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
            [
                r[0, 2] + r[2, 0],
                r[1, 2] + r[2, 1],
                r[2, 2] - r[0, 0] - r[1, 1],
                0,
            ],
            [
                r[2, 1] - r[1, 2],
                r[0, 2] - r[2, 0],
                r[1, 0] - r[0, 1],
                r[0, 0] + r[1, 1] + r[2, 2],
            ],
        ]
    )
    _, vectors = np.linalg.eigh(k / 3)
    x, y, z, w = vectors[:, -1]
    q = np.array([w, x, y, z])
    return q if w >= 0 else -q


def rotation_from_quaternion(q: np.ndarray) -> np.ndarray:
    """(3, 3) rotation of a quaternion w, x, y, z of any length."""
    w, x, y, z = np.asarray(q, dtype=float) / np.linalg.norm(q)
    return np.array(
        [
            [
                1 - 2 * (y * y + z * z),
                2 * (x * y - w * z),
                2 * (x * z + w * y),
            ],
            [
                2 * (x * y + w * z),
                1 - 2 * (x * x + z * z),
                2 * (y * z - w * x),
            ],
            [
                2 * (x * z - w * y),
                2 * (y * z + w * x),
                1 - 2 * (x * x + y * y),
            ],
        ]
    )
