"""A camera before a cloud of labelled points, for the localization tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

CAMERA = dict(
    model='SIMPLE_RADIAL',
    width=1280,
    height=720,
    params=[900.0, 640.0, 360.0, -0.05],
)
# World to camera, far from the identity.
ROTATION = Rotation.from_euler('yxz', [35.0, -8.0, 4.0], True).as_matrix()
TRANSLATION = np.array([1.5, -0.7, 3.0])


@dataclass
class Matches:
    """2D-3D matches with labels; `right` says which are."""

    points2d: np.ndarray
    points3d: np.ndarray
    labels2d: np.ndarray
    labels3d: np.ndarray
    right: np.ndarray


def radial_pixels(in_camera: np.ndarray) -> np.ndarray:
    """Project by hand with the camera above: (N, 2)."""
    focal, x0, y0, k = CAMERA['params']
    flat = in_camera[:, :2] / in_camera[:, 2:]
    bent = flat * (1 + k * (flat**2).sum(1, keepdims=True))
    return bent * focal + [x0, y0]


def points_before_camera(count: int, rng: np.random.Generator):
    """(N, 3) in the camera, all of them in the image, 4 to 40 m away."""
    depth = rng.uniform(4, 40, count)
    flat = rng.uniform([-0.6, -0.33], [0.6, 0.33], (count, 2))
    return np.column_stack([flat * depth[:, None], depth])


def make_matches(
    count: int,
    num_right: int,
    seed: int,
    noise: float = 0.0,
    agreement: float = 0.7,
    num_labels: int = 30,
) -> Matches:
    """Matches of which the first `num_right` are right.

    Wrong ones have a pixel anywhere. A right pair shares its label with the
    probability `agreement`, a wrong one by chance.
    """
    rng = np.random.default_rng(seed)
    in_camera = points_before_camera(count, rng)
    points3d = (in_camera - TRANSLATION) @ ROTATION
    points2d = radial_pixels(in_camera) + rng.normal(0, noise, (count, 2))
    wrong = rng.uniform(0, [1280, 720], (count, 2))
    right = np.arange(count) < num_right
    labels3d = rng.integers(0, num_labels, count)
    kept = right & (rng.random(count) < agreement)
    return Matches(
        np.where(right[:, None], points2d, wrong),
        points3d,
        np.where(kept, labels3d, rng.integers(0, num_labels, count)),
        labels3d,
        right,
    )
