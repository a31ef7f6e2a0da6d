"""The one place that calls PoseLib.

PoseLib 2.0 takes its options as one flat dict for RANSAC and one for the
refinement; 3.0 changes both and ignores keys that it does not know. So the
options are a dataclass here, and the version is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ._extra import require
from .cameras import check_camera

MIN_MATCHES = 4
"""P3P takes three matches, a fourth chooses among its solutions."""


@dataclass(frozen=True)
class RansacOptions:
    """Budget and tolerance of one RANSAC.

    Attributes:
        max_error: Pixels that a right match may be off.
        max_iterations: Samples drawn at most.
        min_iterations: Samples drawn at least, if ``max_iterations`` allows.
        confidence: Stop when a better pose is less likely than 1 - this.
    """

    max_error: float = 12.0
    max_iterations: int = 100_000
    min_iterations: int = 1000
    confidence: float = 0.9999

    def __post_init__(self) -> None:
        if not self.max_error > 0:
            raise ValueError(
                f'`max_error` should be above 0 pixels, but got '
                f'{self.max_error!r}.'
            )
        if self.max_iterations < 1:
            raise ValueError(
                f'`max_iterations` should be at least 1, but got '
                f'{self.max_iterations!r}.'
            )
        if not 0 < self.confidence < 1:
            raise ValueError(
                f'`confidence` should be between 0 and 1, but got '
                f'{self.confidence!r}.'
            )


def as_options(
    options: RansacOptions | Mapping[str, Any] | None,
) -> RansacOptions:
    """Options from a dict; a key that is unknown is an error.

    Args:
        options: Options, a dict of their fields, or None for the defaults.

    Returns:
        The options.

    Raises:
        ValueError: A key is unknown or a value is out of its range.
    """
    if isinstance(options, RansacOptions):
        return options
    known = [field.name for field in fields(RansacOptions)]
    unknown = sorted(set(options or {}) - set(known))
    if unknown:
        raise ValueError(
            f'`options` should have keys of {", ".join(known)}, but got '
            f'{", ".join(map(repr, unknown))}.'
        )
    return RansacOptions(**(options or {}))


def ransac_pose(
    points2d: np.ndarray,
    points3d: np.ndarray,
    camera: Mapping[str, Any],
    options: RansacOptions,
    seed: int,
    best_first: bool = False,
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """LO-RANSAC with P3P.

    Args:
        points2d: (N, 2) pixels, 0.5 = centre of the first pixel.
        points3d: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        options: Budget and tolerance.
        seed: Seed of the draws.
        best_first: The matches are sorted, the best first: draw from the
            first ones first (PROSAC).

    Returns:
        Rotation (3, 3), translation (3,) and the number of samples drawn;
        None where no sample gave a pose.
    """
    poselib = _poselib()
    pose, report = poselib.estimate_absolute_pose(
        points2d,
        points3d,
        check_camera(camera),
        dict(
            max_reproj_error=options.max_error,
            max_iterations=options.max_iterations,
            min_iterations=min(options.min_iterations, options.max_iterations),
            success_prob=options.confidence,
            seed=seed,
            progressive_sampling=best_first,
        ),
        {},
    )
    if report['num_inliers'] < MIN_MATCHES:
        return None
    return np.array(pose.R), np.array(pose.t), int(report['iterations'])


def refine_pose(
    points2d: np.ndarray,
    points3d: np.ndarray,
    camera: Mapping[str, Any],
    rotation: np.ndarray,
    translation: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of the reprojection errors, with PoseLib's Cauchy loss.

    Args:
        points2d: (N, 2) pixels of matches taken as right.
        points3d: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        rotation: (3, 3) to start from.
        translation: (3,) to start from.

    Returns:
        Rotation (3, 3) and translation (3,).
    """
    poselib = _poselib()
    start = poselib.CameraPose()
    start.R = rotation
    start.t = translation
    pose, _ = poselib.refine_absolute_pose(
        points2d, points3d, start, check_camera(camera), {}
    )
    return np.array(pose.R), np.array(pose.t)


def minimal_poses(
    rays: np.ndarray, points3d: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """P3P: the up to four poses that three matches allow.

    Args:
        rays: (3, 3) unit directions in the camera, one a row.
        points3d: (3, 3) points, one a row.

    Returns:
        Rotations (3, 3) and translations (3,).
    """
    poses = _poselib().p3p(rays, points3d)
    return [(np.array(pose.R), np.array(pose.t)) for pose in poses]


def _poselib() -> Any:
    poselib = require('poselib')
    # 3.0 has another signature and ignores options that it does not know.
    if not hasattr(poselib, 'BundleOptions') or (
        'max_reproj_error' not in poselib.RansacOptions()
    ):
        raise ImportError(
            '`poselib` should be of version 2.0, but got another. '
            "pip install 'poselib>=2.0.5,<3'"
        )
    return poselib
