"""Which matches of two images fit one geometry."""

from __future__ import annotations

import cv2
import numpy as np

from ._extra import require
from .model import MapImage

# Seven matches fix a fundamental matrix; fewer than twice that prove little.
MIN_MATCHES = 15


def fits_any_geometry(
    pixels: np.ndarray, pixels2: np.ndarray, max_error: float
) -> np.ndarray:
    """Matches that one fundamental matrix explains, by MAGSAC++.

    Args:
        pixels: (N, 2) in one image.
        pixels2: (N, 2) in the other.
        max_error: Pixels that a match may be off its epipolar line.

    Returns:
        (N,) bool; none where there are fewer than 15 matches.
    """
    nothing = np.zeros(len(pixels), dtype=bool)
    if len(pixels) < MIN_MATCHES:
        return nothing
    matrix, mask = cv2.findFundamentalMat(
        pixels, pixels2, cv2.USAC_MAGSAC, max_error, 0.9999, 10_000
    )
    return nothing if matrix is None else mask.ravel().astype(bool)


def fits_poses(
    first: MapImage,
    second: MapImage,
    pixels: np.ndarray,
    pixels2: np.ndarray,
    max_error: float,
) -> np.ndarray:
    """Matches that agree with the poses of a model.

    Args:
        first: One image.
        second: The other.
        pixels: (N, 2) in the first, 0.5 = centre of the first pixel.
        pixels2: (N, 2) in the second.
        max_error: Pixels (Sampson distance) that a match may be off.

    Returns:
        (N,) bool.
    """
    pycolmap = require('pycolmap')
    rays = []
    focals = []
    for image, points in ((first, pixels), (second, pixels2)):
        camera = pycolmap.Camera(**image.camera)
        flat = np.asarray(camera.cam_from_img(points)).reshape(-1, 2)
        rays.append(np.column_stack([flat, np.ones(len(flat))]))
        focals.append(camera.mean_focal_length())
    rotation = second.rotation @ first.rotation.T
    shift = second.translation - rotation @ first.translation
    x, y, z = shift
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ rotation
    lines2, lines = rays[0] @ essential.T, rays[1] @ essential
    gap = (rays[1] * lines2).sum(1)
    slope = np.hypot(*lines2[:, :2].T) ** 2 + np.hypot(*lines[:, :2].T) ** 2
    error = np.abs(gap) / np.sqrt(np.maximum(slope, 1e-24))
    return error * float(np.mean(focals)) <= max_error
