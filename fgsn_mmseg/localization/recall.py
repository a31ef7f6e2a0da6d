"""How many queries were found, and how exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .hloc_lists import Poses
from .poses import pose_error

# Units of the map (metres) and degrees; the three of the benchmarks.
THRESHOLDS = ((0.25, 2.0), (0.5, 5.0), (5.0, 10.0))
# Metres that part the starts of a refinement.
_STARTS = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Recall:
    """Figures over queries with a known pose.

    Attributes:
        num_queries: Queries with a known pose.
        num_found: Of them, those with an estimate.
        shares: Of all queries, the share within each threshold.
        median_metres: Median distance; infinite where half are not found.
        median_degrees: Median angle, likewise.
    """

    num_queries: int
    num_found: int
    shares: tuple[float, ...]
    median_metres: float
    median_degrees: float

    def lines(self) -> list[str]:
        """Return the figures in words."""
        texts = [
            f'within {metres:g} m and {degrees:g} deg: {share:.1%}'
            for (metres, degrees), share in zip(THRESHOLDS, self.shares)
        ]
        return [
            f'{self.num_found} of {self.num_queries} queries have a pose',
            *texts,
            f'median error: {self.median_metres:.3f} m, '
            f'{self.median_degrees:.2f} deg',
        ]


def pose_recall(poses: Poses, truth: Poses) -> Recall:
    """Compare estimated poses with true ones.

    Args:
        poses: Estimates by name.
        truth: True poses by name. A query without an estimate counts as not
            found at any threshold.

    Returns:
        The figures.

    Raises:
        ValueError: There is no true pose.
    """
    if not truth:
        raise ValueError('`truth` should hold a pose, but got none.')
    errors = np.full((len(truth), 2), np.inf)
    for row, (name, true_pose) in enumerate(truth.items()):
        if name in poses:
            errors[row] = pose_error(*poses[name], *true_pose)
    shares = tuple(
        float(((errors[:, 0] <= m) & (errors[:, 1] <= d)).mean())
        for m, d in THRESHOLDS
    )
    median = np.median(errors, axis=0)
    found = int(np.isfinite(errors[:, 0]).sum())
    return Recall(
        len(truth), found, shares, float(median[0]), float(median[1])
    )


def pose_basin(rough: Poses, poses: Poses, truth: Poses) -> list[str]:
    """How far a refinement leads, by how far away it began.

    Args:
        rough: Poses that it began with, by name.
        poses: What it made of them.
        truth: True poses.

    Returns:
        A line for each distance of the start, doubling from 0.25 m: queries,
        how many came nearer, and the median distances before and after.
    """
    names = [name for name in poses if name in rough and name in truth]
    before, after = (
        np.array([pose_error(*some[name], *truth[name])[0] for name in names])
        for some in (rough, poses)
    )
    lines, low = [], 0.0
    for high in (*_STARTS, np.inf):
        here = (before >= low) & (before < high)
        if here.any():
            nearer = (after[here] < before[here]).mean()
            lines.append(
                f'from {low:g} to {high:g} m: {here.sum()} queries, '
                f'{nearer:.0%} came nearer, median '
                f'{np.median(before[here]):.2f} to '
                f'{np.median(after[here]):.2f} m'
            )
        low = high
    return lines
