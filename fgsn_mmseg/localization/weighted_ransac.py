"""RANSAC that draws matches by weight, which PoseLib does not offer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .cameras import check_camera, image_points, unit_rays
from .matches import check_matches, count_different
from .pose_estimate import PoseEstimate, finish_estimate
from .solver import MIN_MATCHES, RansacOptions, as_options, minimal_poses

# Samples that are looked at together at most.
_BLOCK = 256


def estimate_pose_weighted(
    points2d: ArrayLike,
    points3d: ArrayLike,
    camera: Mapping[str, Any],
    weights: ArrayLike,
    seed: int = 0,
    options: RansacOptions | Mapping[str, Any] | None = None,
) -> PoseEstimate:
    """P3P-RANSAC whose samples are drawn in proportion to weights.

    Hypotheses are compared by their truncated squared errors (MSAC) over all
    matches. It stops when a sample of three right matches was drawn with the
    wanted confidence, taking the weight of the best pose's inliers as the
    probability of a right one.

    Args:
        points2d: (N, 2) pixels, 0.5 = centre of the first pixel.
        points3d: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        weights: (N,) finite, 0 or above. A match of weight 0 is not drawn,
            but takes part in the comparison and in the last refinement.
        seed: Seed of the draws.
        options: Budget and tolerance; ``min_iterations`` is not used.

    Returns:
        The pose, marked as in :func:`~.estimate.estimate_pose`: fewer than 4
        matches of a weight above 0 make all weights equal.

    Raises:
        ValueError: As in :func:`~.estimate.estimate_pose`, or a weight is
            negative or not finite.
    """
    started = time.perf_counter()
    budget = as_options(options)
    camera = check_camera(camera)
    pixels, points = check_matches(points2d, points3d)
    chance = np.asarray(weights, dtype=np.float64)
    if chance.shape != (len(pixels),) or not (
        np.isfinite(chance).all() and (chance >= 0).all()
    ):
        raise ValueError(
            f'`weights` should be {len(pixels)} finite numbers, 0 or above, '
            f'but got the shape {chance.shape} and a smallest of '
            f'{chance.min(initial=0):g}.'
        )
    note, kept = '', chance > 0
    if kept.sum() < MIN_MATCHES:
        note = f'labels left {kept.sum()} matches, so all were used'
        kept = np.ones(len(pixels), bool)
        chance = np.ones(len(pixels))
    found = None
    different = count_different(pixels, points)
    if different < MIN_MATCHES:
        note = f'{different} matches, but {MIN_MATCHES} are needed'
    else:
        found = weighted_search(pixels, points, camera, chance, seed, budget)
    return finish_estimate(
        found,
        (pixels, points, camera),
        budget,
        kept=kept,
        allowed=np.ones(len(pixels), bool),
        filtered=not note,
        note=note,
        started=started,
    )


def weighted_search(
    pixels: np.ndarray,
    points: np.ndarray,
    camera: Mapping[str, Any],
    weights: np.ndarray,
    seed: int,
    budget: RansacOptions,
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Draw samples by weight, and take the pose that fits best.

    Args:
        pixels: (N, 2).
        points: (N, 3).
        camera: See :func:`~.cameras.check_camera`.
        weights: (N,), 0 or above.
        seed: Seed of the draws.
        budget: Budget and tolerance.

    Returns:
        Rotation (3, 3), translation (3,) and the number of samples drawn;
        None where no sample gave a pose.
    """
    rng = np.random.default_rng(seed)
    share = weights / weights.sum()
    rays = unit_rays(pixels, camera)
    limit = budget.max_error**2
    # A pose that only its own sample fits costs this, or more.
    lowest = limit * (len(pixels) - MIN_MATCHES + 1)
    best, needed, drawn = None, float(budget.max_iterations), 0
    while drawn < min(needed, budget.max_iterations):
        # As many again as before, so that few are drawn where few are needed.
        size = min(max(drawn, 1), _BLOCK, budget.max_iterations - drawn)
        drawn += size
        poses = _hypotheses(_draw(rng, share, size), rays, points)
        errors = _squared_errors(*poses, pixels, points, camera)
        errors = np.where(errors <= limit, errors, limit)
        costs = errors.sum(1)
        if len(costs) and costs.min() < lowest:
            row = int(costs.argmin())
            lowest = costs[row]
            best = poses[0][row], poses[1][row]
            right = share[errors[row] < limit].sum() ** 3
            needed = np.log(1 - budget.confidence) / np.log1p(
                -min(right, 1 - 1e-12)
            )
    return None if best is None else (*best, drawn)


def _draw(
    rng: np.random.Generator, share: np.ndarray, count: int
) -> np.ndarray:
    """Draw (count, 3) matches by weight, each sample without repeats.

    Of exponential waiting times at these rates the three shortest: the same
    as drawing one after the other.
    """
    with np.errstate(divide='ignore'):
        times = rng.exponential(size=(count, len(share))) / share
    return np.argpartition(times, 2, axis=1)[:, :3]


def _hypotheses(
    samples: np.ndarray, rays: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (A, 3, 3) and translations (A, 3) that P3P makes of them."""
    found = [
        pose
        for rows in samples
        for pose in minimal_poses(rays[rows], points[rows])
    ]
    rotations = [rotation for rotation, _ in found]
    translations = [translation for _, translation in found]
    return (
        np.reshape(rotations, (-1, 3, 3)),
        np.reshape(translations, (-1, 3)),
    )


def _squared_errors(
    rotations: np.ndarray,
    translations: np.ndarray,
    pixels: np.ndarray,
    points: np.ndarray,
    camera: Mapping[str, Any],
) -> np.ndarray:
    """(A, N) squared pixels; NaN for points behind a camera."""
    in_camera = points @ rotations.transpose(0, 2, 1) + translations[:, None]
    projected = image_points(in_camera.reshape(-1, 3), camera)
    offset = projected.reshape(*in_camera.shape[:2], 2) - pixels
    return (offset**2).sum(-1)
