"""What the solvers return."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .matches import count_different
from .refinement import refine_on_inliers
from .solver import MIN_MATCHES, RansacOptions


@dataclass(frozen=True)
class PoseEstimate:
    """What :func:`estimate_pose` found for one image.

    Attributes:
        rotation: (3, 3) world to camera; NaN without success.
        translation: (3,) world to camera; NaN without success.
        inliers: (N,) bool, matches of all given that fit the pose.
        kept: (N,) bool, matches that the labels left to the solver.
        success: Whether there is a pose.
        filtered: Whether labels had a say: False where the method uses none,
            or dropped so many that all matches were used after all.
        note: Why there is no pose, or no filter, in words; else empty.
        iterations: Samples that RANSAC drew.
        seconds: Time for this image.
    """

    rotation: np.ndarray
    translation: np.ndarray
    inliers: np.ndarray
    kept: np.ndarray
    success: bool
    filtered: bool
    note: str
    iterations: int
    seconds: float


def finish_estimate(
    found: tuple[np.ndarray, np.ndarray, int] | None,
    matches: tuple[np.ndarray, np.ndarray, Mapping[str, Any]],
    budget: RansacOptions,
    kept: np.ndarray,
    allowed: np.ndarray,
    filtered: bool,
    note: str,
    started: float,
) -> PoseEstimate:
    """Refine what a search found, or mark that it found nothing.

    Args:
        found: Rotation, translation and the number of samples, or None.
        matches: Pixels (N, 2), points (N, 3) and the camera.
        budget: Its ``max_error`` says what fits.
        kept: (N,) bool, matches that the labels left.
        allowed: (N,) bool, matches that may take part in the refinement.
        filtered: Whether labels had a say.
        note: What is to be said already.
        started: ``time.perf_counter()`` of the start.

    Returns:
        The estimate.
    """
    rotation, translation = np.full((3, 3), np.nan), np.full(3, np.nan)
    inliers = np.zeros(len(kept), dtype=bool)
    if found is not None:
        refined = refine_on_inliers(
            *matches, *found[:2], allowed, budget.max_error
        )
        if refined[2].sum() >= MIN_MATCHES:
            rotation, translation, inliers = refined
    success = bool(inliers.any())
    if not success and count_different(*matches[:2]) >= MIN_MATCHES:
        failure = f'no pose that {MIN_MATCHES} matches fit'
        note = f'{note}; {failure}' if note else failure
    return PoseEstimate(
        rotation=rotation,
        translation=translation,
        inliers=inliers,
        kept=kept,
        success=success,
        filtered=filtered,
        note=note,
        iterations=0 if found is None else found[2],
        seconds=time.perf_counter() - started,
    )
