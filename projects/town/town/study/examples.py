"""Which clusters keep to their places, and what they look like."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from fgsn_mmseg.evaluation.survey import PairLabels, Survey

HALF = 24  # pixels of the original image on each side of a point
ZOOM = 2
AGREE, DISAGREE = (30, 160, 70), (214, 54, 54)


def cluster_consistency(survey: Survey) -> tuple[np.ndarray, np.ndarray]:
    """How often a match that starts in a cluster also ends in it.

    Args:
        survey: Labels of all pairs.

    Returns:
        Shares (K,), NaN for a cluster without a match, and numbers of
        matches (K,) by the label in the reference.
    """
    labels, labels2 = survey.pooled()
    number = survey.num_clusters
    total = np.bincount(labels, minlength=number)
    same = np.bincount(labels[labels == labels2], minlength=number)
    shares = np.full(number, np.nan)
    np.divide(same, total, out=shares, where=total > 0)
    return shares, total


def ranked_clusters(
    shares: np.ndarray, total: np.ndarray, number: int, least_matches: int
) -> tuple[list[int], list[int]]:
    """The most and the least consistent clusters.

    Args:
        shares: (K,) of `cluster_consistency`.
        total: (K,) of the same.
        number: How many of each at most; no cluster is in both.
        least_matches: Clusters with fewer matches are left out.

    Returns:
        The most consistent, best first, and the least, worst first.
    """
    usable = np.flatnonzero(total >= max(least_matches, 1))
    order = usable[np.argsort(-shares[usable], kind='stable')]
    number = min(number, (len(order) + 1) // 2)
    worst = order[number:][::-1][:number]
    return order[:number].tolist(), worst.tolist()


def example_matches(
    survey: Survey, cluster: int, group_of: Callable[[PairLabels], str]
) -> dict[str, tuple[PairLabels, int]]:
    """One match a group that starts in a cluster: the most central one.

    Args:
        survey: Labels of all pairs.
        cluster: Label in the reference.
        group_of: Name of the group of a pair, e.g. its condition.

    Returns:
        By group, the pair and the index of the match. Groups without one
        are left out.
    """
    found: dict[str, tuple[float, PairLabels, int]] = {}
    for pair in survey.pairs:
        inside = np.flatnonzero(pair.labels == cluster)
        if not len(inside):
            continue
        # Far from the border of its patch and of the image: the middle of
        # the cluster's matches in this pair.
        points = pair.points[inside]
        distance = np.linalg.norm(points - np.median(points, axis=0), axis=1)
        best = int(distance.argmin())
        group = group_of(pair)
        # The pair with most matches shows what is typical.
        entry = (float(len(inside)), pair, int(inside[best]))
        if group not in found or entry[0] > found[group][0]:
            found[group] = entry
    return {name: (pair, i) for name, (_, pair, i) in found.items()}


def match_patch(
    image: np.ndarray, image2: np.ndarray, pair: PairLabels, index: int
) -> np.ndarray:
    """Both ends of a match side by side, framed green where labels agree.

    Args:
        image: (H, W, 3) uint8 RGB, the reference.
        image2: (H2, W2, 3) uint8 RGB, the target.
        pair: The pair.
        index: Which of its matches.

    Returns:
        (2 HALF ZOOM + 8, 4 HALF ZOOM + 12, 3) uint8 RGB.
    """
    agree = pair.labels[index] == pair.labels2[index]
    ends = [
        _around(image, pair.points[index]),
        _around(image2, pair.points2[index]),
    ]
    gap = np.full((len(ends[0]), 4, 3), 255, np.uint8)
    both = np.hstack([ends[0], gap, ends[1]])
    return cv2.copyMakeBorder(
        both,
        *(4, 4, 4, 4),
        cv2.BORDER_CONSTANT,
        value=AGREE if agree else DISAGREE,
    )


def _around(image: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Square around a point, enlarged, with a ring at the point."""
    padded = np.pad(image, ((HALF, HALF), (HALF, HALF), (0, 0)), mode='edge')
    x, y = np.floor(point + 0.5).astype(int).tolist()
    patch = padded[y : y + 2 * HALF, x : x + 2 * HALF]
    size = (2 * HALF * ZOOM, 2 * HALF * ZOOM)
    patch = cv2.resize(patch, size, interpolation=cv2.INTER_CUBIC)
    centre = (HALF * ZOOM, HALF * ZOOM)
    for radius, colour in ((7, (0, 0, 0)), (6, (255, 255, 255))):
        cv2.circle(patch, centre, radius, colour, 1, cv2.LINE_AA)
    return patch
