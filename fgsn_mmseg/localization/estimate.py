"""A camera pose from 2D-3D matches, with labels as a witness."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .cameras import check_camera
from .likelihood import LabelLikelihood
from .matches import (
    check_confidence,
    check_matches,
    count_different,
    match_scores,
)
from .pose_estimate import PoseEstimate, finish_estimate
from .solver import MIN_MATCHES, RansacOptions, as_options, ransac_pose
from .weighted_ransac import weighted_search

USES = ('filter', 'order', 'weight')


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
    confidence: ArrayLike | None = None,
) -> PoseEstimate:
    """Estimate where a camera was from matches of its pixels to a map.

    - ``'ransac'``: P3P in LO-RANSAC on all matches; labels are not looked at.
    - ``'ssmc'``: the same on the matches whose two labels are equal (simple
      semantic match consistency, the FGSN paper).
    - ``'llr'``: every match is scored by the log likelihood ratio of its two
      labels: by ``table``, or by how rare a shared label is among these
      matches (:func:`~.label_scores.rarity_scores`). Those above 0 are used;
      with ``use='order'`` all of them, the best first (PROSAC); with
      ``use='weight'`` all of them, drawn in proportion to their likelihood
      ratios (slower: this RANSAC is not PoseLib's).

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
        use: What ``'llr'`` does with the scores: 'filter', 'order' or
            'weight'. Defaults to 'filter'.
        refine_on_all: The last refinement uses all matches. Defaults to
            True.
        confidence: (N,) in 0..1, how sure both labels of a match are, such
            as the share of the point's votes times the probability of the
            pixel's label. Scores are multiplied by it, which matters to
            'order' and 'weight'; a match of confidence 0 says nothing.

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
    if scores is not None and confidence is not None:
        scores = scores * check_confidence(confidence, len(pixels))
    if use not in USES:
        raise ValueError(f'`use` should be one of {USES}, but got {use!r}.')
    use = use if method == 'llr' else 'filter'
    every = np.ones(len(pixels), bool)
    kept, note = every, ''
    if scores is not None and use == 'filter':
        kept = scores > 0
        if kept.sum() < MIN_MATCHES:
            note = f'labels left {kept.sum()} matches, so all were used'
            kept, scores = every, None
    found = None
    different = count_different(pixels, points)
    if different < MIN_MATCHES:
        note = f'{different} matches, but {MIN_MATCHES} are needed'
    elif scores is not None and use == 'weight':
        weights = np.exp(scores - scores.max())
        found = weighted_search(pixels, points, camera, weights, seed, budget)
    else:
        rows = np.flatnonzero(kept)
        best_first = use == 'order'
        if scores is not None and best_first:
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
