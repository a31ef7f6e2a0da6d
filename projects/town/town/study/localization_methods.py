"""The methods that find the town's queries, each with one labelling."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from fgsn_mmseg.localization import (
    LabelLikelihood,
    estimate_pose,
    pose_error,
)
from fgsn_mmseg.localization.estimate import PoseEstimate
from fgsn_mmseg.localization.gsmc import Upright, gsmc_pose
from fgsn_mmseg.localization.label_alignment import (
    AlignmentOptions,
    align_labels,
)
from fgsn_mmseg.localization.particle_filter import (
    FilterOptions,
    LabelParticleFilter,
)
from fgsn_mmseg.localization.poses import camera_centre

from .localization import BUDGET, Query, TownLabels

# Slow methods look at every so many queries; prime to the conditions.
STRIDE = 6
# Points of the map that slow methods look at.
_POINTS = 1000
_ANGLES = 36
# What a car's sensors tell: gravity, the height of the camera, odometry.
_GRAVITY_DEGREES = 0.5
_HEIGHT = 1.65
_STEP_METRES, _STEP_DEGREES = 0.1, 0.5
START_METRES, START_DEGREES = 1.5, 4.0
# Wrong starts for `align_labels`.
STARTS = ((0.25, 1.0), (0.5, 2.0), (1.0, 4.0), (2.0, 8.0), (4.0, 16.0))

Pose = tuple[np.ndarray, np.ndarray]


class Outcome(NamedTuple):
    """What a method made of one query."""

    name: str
    metres: float
    degrees: float
    seconds: float
    kept: int
    """Matches that the labels left."""
    kept_right: int


@dataclass(frozen=True)
class Evidence:
    """What a labelling gives to a method."""

    labels: TownLabels | None
    table: LabelLikelihood | None = None

    def of(self, query: Query) -> tuple[np.ndarray, np.ndarray] | None:
        """Labels of a query's matches."""
        return None if self.labels is None else self.labels.of_matches(query)


Method = Callable[[list[Query], Evidence], Iterator[Outcome]]


def _by_query(
    estimate: Callable[..., PoseEstimate], stride: int = 1
) -> Method:
    """Make a method of what looks at one query at a time."""

    def run(queries: list[Query], evidence: Evidence) -> Iterator[Outcome]:
        for query in queries[::stride]:
            labels = evidence.of(query)
            started = time.process_time()
            found = estimate(query, labels, evidence)
            spent = time.process_time() - started
            pose = found.rotation, found.translation
            error = np.inf, np.inf
            if found.success:
                error = pose_error(*pose, *query.truth)
            kept = int(found.kept.sum())
            right = int((found.kept & query.right).sum())
            yield Outcome(query.name, *error, spent, kept, right)

    return run


def _solver(
    method: str, more_samples: int = 1, learned: bool = False, **options: Any
) -> Callable[..., PoseEstimate]:
    """:func:`estimate_pose` with these options."""
    budget = replace(
        BUDGET, max_iterations=more_samples * BUDGET.max_iterations
    )

    def estimate(
        query: Query,
        labels: tuple[np.ndarray, np.ndarray] | None,
        evidence: Evidence,
    ) -> PoseEstimate:
        first, second = labels or (None, None)
        return estimate_pose(
            query.matches.points2d,
            query.points3d,
            query.camera,
            first,
            second,
            method=method,
            options=budget,
            table=evidence.table if learned else None,
            **options,
        )

    return estimate


def _gsmc(query: Query, labels: object, evidence: Evidence) -> PoseEstimate:
    """GSMC; gravity and height are known as well as a car knows them."""
    assert evidence.labels is not None
    rng = np.random.default_rng(len(query.matches.points2d))
    tilt = Rotation.from_rotvec(rng.normal(0, np.radians(_GRAVITY_DEGREES), 3))
    up = tilt.as_matrix() @ query.truth[0] @ [0.0, 0.0, 1.0]
    return gsmc_pose(
        query.matches.points2d,
        query.points3d,
        query.camera,
        evidence.labels.label_map(query),
        evidence.labels.points_near(query).sample(_POINTS),
        Upright(up, _HEIGHT),
        options=BUDGET,
        num_angles=_ANGLES,
    )


def _displaced(query: Query, metres: float, degrees: float) -> Pose:
    """A pose that far from the truth: sideways, and about any axis."""
    rng = np.random.default_rng(len(query.matches.points2d))
    bearing = rng.uniform(0, 2 * np.pi)
    rotation, translation = query.truth
    centre = camera_centre(rotation, translation)
    centre = centre + metres * np.array([np.cos(bearing), np.sin(bearing), 0])
    axis = rng.normal(size=3)
    axis *= np.radians(degrees) / np.linalg.norm(axis)
    turned = Rotation.from_rotvec(axis).as_matrix() @ rotation
    return turned, -turned @ centre


def _align(metres: float, degrees: float) -> Method:
    """Poses of labels alone, from so far away; the search is as wide."""
    options = AlignmentOptions(metres=metres, degrees=degrees)

    def run(queries: list[Query], evidence: Evidence) -> Iterator[Outcome]:
        assert evidence.labels is not None
        for query in queries[::STRIDE]:
            points = evidence.labels.points_near(query).sample(_POINTS)
            start = _displaced(query, metres, degrees)
            label_map = evidence.labels.label_map(query)
            started = time.process_time()
            try:
                found = align_labels(
                    *start, query.camera, label_map, points, options
                )
            except ValueError:  # it sees too little to begin
                pose = start
            else:
                pose = found.rotation, found.translation
            spent = time.process_time() - started
            error = pose_error(*pose, *query.truth)
            yield Outcome(query.name, *error, spent, 0, 0)

    return run


def _pfsl(queries: list[Query], evidence: Evidence) -> Iterator[Outcome]:
    """Sequences: the places of a street in one condition, with odometry."""
    assert evidence.labels is not None
    for number, drive in enumerate(sequences(queries)):
        rng = np.random.default_rng(number)
        points = evidence.labels.points_near(drive[0]).sample(_POINTS)
        start = _displaced(drive[0], START_METRES, START_DEGREES)
        follower = LabelParticleFilter(
            points,
            *start,
            options=FilterOptions(
                start_metres=START_METRES,
                start_degrees=START_DEGREES,
                step_metres=_STEP_METRES,
                step_degrees=_STEP_DEGREES,
            ),
        )
        last: Query | None = None
        for query in drive:
            odometry = None
            if last is not None:
                odometry = _odometry(last.truth, query.truth, rng)
            label_map = evidence.labels.label_map(query)
            started = time.process_time()
            step = follower.step(label_map, query.camera, odometry)
            spent = time.process_time() - started
            error = pose_error(step.rotation, step.translation, *query.truth)
            yield Outcome(query.name, *error, spent, 0, 0)
            last = query


def sequences(queries: Iterable[Query]) -> list[list[Query]]:
    """Queries of one street and condition, in the order of its places."""
    drives: dict[tuple[int, str], list[Query]] = {}
    for query in queries:
        drives.setdefault((query.street, query.condition), []).append(query)
    return list(drives.values())


def _odometry(first: Pose, second: Pose, rng: np.random.Generator) -> Pose:
    """Motion between two poses, as noisy as a car's."""
    turn = second[0] @ first[0].T
    shift = second[1] - turn @ first[1]
    noise = Rotation.from_rotvec(rng.normal(0, np.radians(_STEP_DEGREES), 3))
    return (
        noise.as_matrix() @ turn,
        shift + rng.normal(0, _STEP_METRES, 3),
    )


WITHOUT_LABELS: dict[str, Method] = {
    'ransac': _by_query(_solver('ransac')),
    'ransac, 10 x the samples': _by_query(_solver('ransac', 10)),
}
FAST: dict[str, Method] = {
    'ssmc': _by_query(_solver('ssmc', refine_on_all=False)),
    'filter': _by_query(_solver('ssmc')),
    'llr': _by_query(_solver('llr', learned=True)),
    'llr order': _by_query(_solver('llr', learned=True, use='order')),
    'rarity order': _by_query(_solver('llr', use='order')),
}
SLOW: dict[str, Method] = {
    'llr weight': _by_query(
        _solver('llr', learned=True, use='weight'), STRIDE
    ),
    'gsmc': _by_query(_gsmc, STRIDE),
    'pfsl': _pfsl,
    **{f'align {m:g} m {d:g} deg': _align(m, d) for m, d in STARTS},
}
NEEDS_TABLE = ('llr', 'llr order', 'llr weight')
