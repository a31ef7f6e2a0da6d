"""The last refinement of a pose, on all matches that fit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .cameras import project
from .solver import MIN_MATCHES, refine_pose

# Rounds of "take the inliers, refine": the set is stable after two or three.
_MAX_ROUNDS = 5


def refine_on_inliers(
    pixels: np.ndarray,
    points: np.ndarray,
    camera: Mapping[str, Any],
    rotation: np.ndarray,
    translation: np.ndarray,
    allowed: np.ndarray,
    max_error: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Refine a pose on what fits it, until that set stays the same.

    Args:
        pixels: (N, 2).
        points: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        rotation: (3, 3) to start from.
        translation: (3,) to start from.
        allowed: (N,) bool, matches that may take part.
        max_error: Pixels that a match may be off.

    Returns:
        Rotation, translation, and the inliers (N,) bool among all matches.
    """
    last = np.zeros(len(pixels), bool)
    for _ in range(_MAX_ROUNDS):
        fits = fitting_matches(
            pixels, points, camera, rotation, translation, max_error
        )
        chosen = fits & allowed
        if chosen.sum() < MIN_MATCHES or np.array_equal(chosen, last):
            break
        last = chosen
        rotation, translation = refine_pose(
            pixels[chosen], points[chosen], camera, rotation, translation
        )
    fits = fitting_matches(
        pixels, points, camera, rotation, translation, max_error
    )
    return rotation, translation, fits


def fitting_matches(
    pixels: np.ndarray,
    points: np.ndarray,
    camera: Mapping[str, Any],
    rotation: np.ndarray,
    translation: np.ndarray,
    max_error: float,
) -> np.ndarray:
    """Which matches a pose explains.

    Args:
        pixels: (N, 2).
        points: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        rotation: (3, 3), world to camera.
        translation: (3,), world to camera.
        max_error: Pixels that a match may be off.

    Returns:
        (N,) bool.
    """
    projected = project(points, rotation, translation, camera)
    # NaN, a point behind the camera, compares as False.
    return np.linalg.norm(projected - pixels, axis=1) <= max_error
