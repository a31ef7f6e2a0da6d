"""A camera pose from 2D-3D matches, with labels as a witness."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .cameras import check_camera
from .likelihood import LabelLikelihood
from .matches import check_matches, count_different, match_scores
from .refinement import refine_on_inliers
from .solver import MIN_MATCHES, RansacOptions, as_options, ransac_pose

USES = ('filter', 'order')


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


def estimate_pose(
    points2d: ArrayLike,
    points3d: ArrayLike,
    camera: Mapping[str, Any],
    labels2d: ArrayLike | None = None,
    labels3d: ArrayLike | None = None,
    method: str = 'ransac',
    seed: int = 0,
    options: RansacOptions | Mapping[str, Any] | None = None,
    table: LabelLikelihood | None = None,
    use: str = 'filter',
    refine_on_all: bool = True,
) -> PoseEstimate:
    """Estimate where a camera was from matches of its pixels to a map.

    - ``'ransac'``: P3P in LO-RANSAC on all matches; labels are not looked at.
    - ``'ssmc'``: the same on the matches whose two labels are equal (simple
      semantic match consistency, the FGSN paper).
    - ``'llr'``: every match is scored by the log likelihood ratio of its two
      labels: by ``table``, or by how rare a shared label is among these
      matches (:func:`~.label_scores.rarity_scores`). Those above 0 are used,
      or, with ``use='order'``, all of them, the best first (PROSAC).

    The pose found is then given to all matches, those that the labels
    dropped too, for a last refinement on all that fit: labels that are wrong
    by chance cost right matches, and so accuracy.

    Args:
        points2d: (N, 2) pixels, 0.5 = centre of the first pixel (COLMAP).
        points3d: (N, 3) their points in the map.
        camera: ``model, width, height, params`` as in COLMAP.
        labels2d: (N,) label of each pixel; -1 or 65535 is no label, which
            agrees with nothing.
        labels3d: (N,) label of each point.
        method: See above. Defaults to 'ransac'.
        seed: Seed of all draws. Defaults to 0.
        options: Budget and tolerance of RANSAC, or a dict of its fields.
        table: Learned likelihoods, for ``'llr'``.
        use: What ``'llr'`` does with the scores: 'filter' or 'order'.
            Defaults to 'filter'.
        refine_on_all: The last refinement uses all matches. Defaults to
            True.

    Returns:
        The pose, or a marked result where there is none: fewer than 4
        matches, or no pose that 4 of them fit. Where the labels leave fewer
        than 4 matches, all are used and the result says so.

    Raises:
        KeyError: ``camera`` lacks a key.
        ValueError: Shapes do not fit, a number is not finite, a camera model
            is one that the solver does not take, or the method is unknown.
        ImportError: The extra ``[localization]`` is not installed.
    """
    started = time.perf_counter()
    budget = as_options(options)
    camera = check_camera(camera)
    pixels, points = check_matches(points2d, points3d)
    scores = match_scores(len(pixels), labels2d, labels3d, method, table)
    if use not in USES:
        raise ValueError(f'`use` should be one of {USES}, but got {use!r}.')
    best_first = method == 'llr' and use == 'order'
    every = np.ones(len(pixels), bool)
    kept, note = every, ''
    if scores is not None and not best_first:
        kept = scores > 0
        if kept.sum() < MIN_MATCHES:
            note = f'labels left {kept.sum()} matches, so all were used'
            kept, scores = every, None
    found = None
    different = count_different(pixels, points)
    if different < MIN_MATCHES:
        note = f'{different} matches, but {MIN_MATCHES} are needed'
    else:
        rows = np.flatnonzero(kept)
        if best_first and scores is not None:
            rows = np.argsort(-scores, kind='stable')
        found = ransac_pose(
            pixels[rows], points[rows], camera, budget, seed, best_first
        )
    return finish_estimate(
        found,
        (pixels, points, camera),
        budget,
        kept=kept,
        allowed=every if refine_on_all else kept,
        filtered=scores is not None,
        note=note,
        started=started,
    )


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
