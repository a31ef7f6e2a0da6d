"""GSMC: geometric-semantic match consistency (Toft et al., ECCV 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from .cameras import check_camera, unit_rays
from .estimate import PoseEstimate
from .map_points import MapPoints
from .matches import check_matches
from .solver import RansacOptions
from .weighted_ransac import estimate_pose_weighted


@dataclass(frozen=True)
class Upright:
    """What is known of a camera before its pose is.

    Attributes:
        up_in_camera: (3,) direction of the sky in the camera's axes (x
            right, y down, z ahead); (0, -1, 0) for a level camera.
        height: Of the camera along ``up_in_world``, in units of the map.
        up_in_world: (3,) direction of the sky in the map.
    """

    up_in_camera: ArrayLike
    height: float
    up_in_world: ArrayLike = (0.0, 0.0, 1.0)

    def rotation(self) -> np.ndarray:
        """Return one rotation (3, 3) that takes the map's sky to it."""
        turn, _ = Rotation.align_vectors(
            [self._unit('up_in_camera')], [self._unit('up_in_world')]
        )
        return turn.as_matrix()

    def axis(self) -> np.ndarray:
        """Return the unit vector (3,) of the sky in the map."""
        return self._unit('up_in_world')

    def _unit(self, name: str) -> np.ndarray:
        vector = np.asarray(getattr(self, name), dtype=np.float64)
        length = np.linalg.norm(vector)
        if vector.shape != (3,) or not length > 0 or not np.isfinite(length):
            raise ValueError(
                f'`{name}` should be a direction of three finite numbers, '
                f'but got {vector.tolist()}.'
            )
        return vector / length


def circle_poses(
    ray: np.ndarray, point: np.ndarray, upright: Upright, num_angles: int
) -> tuple[np.ndarray, np.ndarray]:
    """Poses that one match allows an upright camera of known height.

    The camera lies on a circle around the vertical axis of the point.

    Args:
        ray: (3,) unit direction of the pixel in the camera.
        point: (3,) its point.
        upright: What is known of the camera.
        num_angles: Poses on the circle, A.

    Returns:
        Rotations (A, 3, 3) and translations (A, 3); none where the point
        would lie behind the camera, or the ray is level, so that the height
        does not tell the distance.
    """
    level = upright.rotation()
    axis = upright.axis()
    rise = float(ray @ level @ axis)
    climb = float(point @ axis) - upright.height
    if rise * climb <= 0 or abs(climb) > 1e6 * abs(rise):
        return np.zeros((0, 3, 3)), np.zeros((0, 3))
    angles = np.arange(num_angles) * (2 * np.pi / num_angles)
    turns = Rotation.from_rotvec(angles[:, None] * axis).as_matrix()
    rotations = level @ turns
    return rotations, climb / rise * ray - rotations @ point


def gsmc_scores(
    points2d: ArrayLike,
    points3d: ArrayLike,
    camera: Mapping[str, Any],
    label_map: np.ndarray,
    map_points: MapPoints,
    upright: Upright,
    num_angles: int = 72,
    min_visible: int = 10,
) -> np.ndarray:
    """Score matches by how well the labels of the whole image would fit.

    For every pose on the match's circle: of the points of the map that can
    be seen, the share whose label equals the image's where they project to.
    The score is the best share.

    Args:
        points2d: (N, 2) pixels, 0.5 = centre of the first pixel.
        points3d: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        label_map: (H, W) labels of the image, -1 where there is none.
        map_points: Of the map; ``sample`` them where there are many.
        upright: What is known of the camera.
        num_angles: Poses on a circle.
        min_visible: A pose that sees fewer points scores 0: a share of two
            points says nothing.

    Returns:
        (N,) in [0, 1].

    Raises:
        ValueError: As in :func:`~.estimate.estimate_pose`, or the label map
            is not of the camera's size.
    """
    camera = check_camera(camera)
    pixels, points = check_matches(points2d, points3d)
    check_map_size(label_map, camera)
    scores = np.zeros(len(pixels))
    rays = unit_rays(pixels, camera)
    for row, (ray, point) in enumerate(zip(rays, points)):
        circle = circle_poses(ray, point, upright, num_angles)
        if not len(circle[0]):
            continue
        poses, seen, expected = map_points.observe(*circle, camera, label_map)
        total = np.bincount(poses, minlength=num_angles)
        equal = np.bincount(poses[seen == expected], minlength=num_angles)
        enough = total >= max(min_visible, 1)
        if enough.any():
            scores[row] = (equal[enough] / total[enough]).max()
    return scores


def gsmc_pose(
    points2d: ArrayLike,
    points3d: ArrayLike,
    camera: Mapping[str, Any],
    label_map: np.ndarray,
    map_points: MapPoints,
    upright: Upright,
    seed: int = 0,
    options: RansacOptions | Mapping[str, Any] | None = None,
    num_angles: int = 72,
) -> PoseEstimate:
    """RANSAC that draws matches in proportion to their GSMC scores.

    Args:
        points2d: (N, 2) pixels, 0.5 = centre of the first pixel.
        points3d: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        label_map: (H, W) labels of the image.
        map_points: Of the map.
        upright: What is known of the camera.
        seed: Seed of the draws.
        options: Budget and tolerance.
        num_angles: Poses on a circle.

    Returns:
        See :func:`~.weighted_ransac.estimate_pose_weighted`.
    """
    scores = gsmc_scores(
        points2d,
        points3d,
        camera,
        label_map,
        map_points,
        upright,
        num_angles,
    )
    return estimate_pose_weighted(
        points2d, points3d, camera, scores, seed, options
    )


def check_map_size(label_map: np.ndarray, camera: Mapping[str, Any]) -> None:
    """Raise ValueError if a label map is not of the camera's size."""
    size = camera['height'], camera['width']
    if label_map.shape != size:
        raise ValueError(
            f'`label_map` should be of the shape {size} of the camera, but '
            f'got {label_map.shape}.'
        )
