"""Camera poses, world to camera, and how far apart two of them are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation


def to_quaternion(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion of a rotation.

    Args:
        rotation: (3, 3).

    Returns:
        (4,) w, x, y, z, with w >= 0.
    """
    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    # `canonical=True` is younger than the scipy that is promised.
    return np.array([w, x, y, z]) * (-1 if w < 0 else 1)


def from_quaternion(quaternion: ArrayLike) -> np.ndarray:
    """Rotation of a quaternion.

    Args:
        quaternion: (4,) w, x, y, z, of any length but 0.

    Returns:
        (3, 3).
    """
    w, x, y, z = np.asarray(quaternion, dtype=float)
    return Rotation.from_quat([x, y, z, w]).as_matrix()


def camera_centre(rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Where the camera is in the world: (3,)."""
    return -rotation.T @ translation


def pose_error(
    rotation: np.ndarray,
    translation: np.ndarray,
    true_rotation: np.ndarray,
    true_translation: np.ndarray,
) -> tuple[float, float]:
    """Distance of two poses, as localization benchmarks take it.

    Args:
        rotation: (3, 3), world to camera.
        translation: (3,), world to camera.
        true_rotation: The same of the truth.
        true_translation: The same of the truth.

    Returns:
        Distance of the camera centres in units of the world, and the angle
        between the two rotations in degrees.
    """
    offset = camera_centre(rotation, translation) - camera_centre(
        true_rotation, true_translation
    )
    turn = Rotation.from_matrix(rotation @ true_rotation.T).magnitude()
    return float(np.linalg.norm(offset)), float(np.degrees(turn))
