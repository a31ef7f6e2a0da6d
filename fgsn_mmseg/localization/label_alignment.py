"""A rough pose made better by labels alone, without descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from fgsn_mmseg.geometry import from_colmap

from .cameras import check_camera, inside_image, project
from .gsmc import check_map_size
from .map_points import MapPoints
from .poses import camera_centre

# Fewer points say nothing about a pose.
_MIN_POINTS = 20


@dataclass(frozen=True)
class AlignmentOptions:
    """Numbers of :func:`align_labels`.

    Attributes:
        max_pixels: A point farther from its label counts as this far.
        search_rounds: Rounds of the particle search, each with half the
            spread of the one before.
        num_particles: Poses tried in a round.
        metres: Spread of the first round, per axis.
        degrees: The same of the rotation.
    """

    max_pixels: float = 5.0
    search_rounds: int = 6
    num_particles: int = 200
    metres: float = 0.5
    degrees: float = 2.0


@dataclass(frozen=True)
class Alignment:
    """What :func:`align_labels` found.

    Attributes:
        rotation: (3, 3), world to camera.
        translation: (3,).
        agreement: Share of the points in view on a pixel of their label.
        agreement_before: The same at the rough pose.
        num_points: Points in view.
    """

    rotation: np.ndarray
    translation: np.ndarray
    agreement: float
    agreement_before: float
    num_points: int


def align_labels(
    rotation: np.ndarray,
    translation: np.ndarray,
    camera: Mapping[str, Any],
    label_map: np.ndarray,
    map_points: MapPoints,
    options: AlignmentOptions | None = None,
    seed: int = 0,
) -> Alignment:
    """Move a pose until the points of the map lie on their labels.

    The cost of a pose is the mean, over the points that it sees, of the
    distance in pixels to the nearest pixel of the point's label (a distance
    transform), cut off at ``max_pixels``. A particle search finds the basin,
    Levenberg-Marquardt the bottom; what does not lower the cost is not
    taken.

    Args:
        rotation: (3, 3) of the rough pose, world to camera.
        translation: (3,) of it.
        camera: See :func:`~.cameras.check_camera`.
        label_map: (H, W) labels of the image.
        map_points: Of the map.
        options: Numbers.
        seed: Seed of the search.

    Returns:
        The pose, with the share of labels that agree before and after.

    Raises:
        ValueError: The label map is not of the camera's size, or the rough
            pose sees fewer than 20 points.
    """
    options = options or AlignmentOptions()
    camera = check_camera(camera)
    check_map_size(label_map, camera)
    cost = _Cost(rotation, translation, camera, label_map, map_points, options)
    best, lowest = np.zeros(6), cost.mean(np.zeros(6))
    rng = np.random.default_rng(seed)
    spread = np.repeat([np.radians(options.degrees), options.metres], 3)
    for halving in range(options.search_rounds):
        noise = rng.normal(size=(options.num_particles, 6))
        for step in best + noise * spread / 2**halving:
            found = cost.mean(step)
            if found < lowest:
                best, lowest = step, found
    refined = least_squares(
        cost.residuals,
        best,
        method='lm',
        diff_step=1e-4,
        max_nfev=200,
        args=(cost.in_view(best),),
    )
    if cost.mean(refined.x) < lowest:
        best = refined.x
    pose = cost.pose(best)
    which, seen, expected = map_points.observe(
        np.stack([pose[0], rotation]),
        np.stack([pose[1], translation]),
        camera,
        label_map,
    )
    total = np.bincount(which, minlength=2)
    equal = np.bincount(which[seen == expected], minlength=2)
    after, before = (equal / np.maximum(total, 1)).tolist()
    return Alignment(*pose, after, before, int(total[0]))


class _Cost:
    """Distances of the points in view to their labels, by a step of the pose.

    A step is a rotation vector and a shift of the centre, both relative to
    the rough pose: (6,).
    """

    def __init__(
        self,
        rotation: np.ndarray,
        translation: np.ndarray,
        camera: dict[str, Any],
        label_map: np.ndarray,
        map_points: MapPoints,
        options: AlignmentOptions,
    ) -> None:
        self.rotation = rotation
        self.centre = camera_centre(rotation, translation)
        self.camera = camera
        self.limit = options.max_pixels
        self.points = map_points
        there = np.isin(map_points.labels, label_map)
        labels, index = np.unique(
            map_points.labels[there], return_inverse=True
        )
        self.which = np.full(len(there), -1)
        self.which[there] = index
        self.distances = np.array(
            [
                cv2.distanceTransform(
                    (label_map != label).astype(np.uint8), cv2.DIST_L2, 5
                )
                for label in labels
            ]
        ).reshape(-1, *label_map.shape)
        seen = len(self.in_view(np.zeros(6)))
        if seen < _MIN_POINTS:
            raise ValueError(
                f'`rotation` and `translation` should see {_MIN_POINTS} '
                f'points whose labels are in the image, but got {seen}. '
                'Start nearer.'
            )
        # A pose must not get cheap by looking away.
        self.least = max(_MIN_POINTS, seen // 2)

    def pose(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        turn = Rotation.from_rotvec(step[:3]).as_matrix()
        rotation = turn @ self.rotation
        return rotation, -rotation @ (self.centre + step[3:])

    def in_view(self, step: np.ndarray) -> np.ndarray:
        """Rows of the points that a pose sees, of labels in the image."""
        rotation, translation = self.pose(step)
        visible = self.points.visible_from(self.centre + step[3:])
        rows = np.flatnonzero(visible & (self.which >= 0))
        pixels = project(
            self.points.xyz[rows], rotation, translation, self.camera
        )
        return rows[inside_image(pixels, self.camera)]

    def residuals(self, step: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Distances of points to their labels: (n,) pixels."""
        pixels = project(self.points.xyz[rows], *self.pose(step), self.camera)
        inside = inside_image(pixels, self.camera)
        found = np.full(len(rows), self.limit)
        maps = self.distances
        which = self.which[rows][inside]
        height, width = maps.shape[1:]
        # Bilinear between pixel centres, so that the distance has a slope.
        at = from_colmap(pixels[inside]).clip(0, [width - 1, height - 1])
        low = np.minimum(np.floor(at).astype(int), [width - 2, height - 2])
        fx, fy = (at - low).T
        x, y = low.T
        found[inside] = (
            maps[which, y, x] * (1 - fx) * (1 - fy)
            + maps[which, y, x + 1] * fx * (1 - fy)
            + maps[which, y + 1, x] * (1 - fx) * fy
            + maps[which, y + 1, x + 1] * fx * fy
        )
        return np.minimum(found, self.limit)

    def mean(self, step: np.ndarray) -> float:
        """Cost of a pose."""
        rows = self.in_view(step)
        if len(rows) < self.least:
            return self.limit
        return float(self.residuals(step, rows).mean())
