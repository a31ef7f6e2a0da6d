"""PFSL: a particle filter on labels (Stenborg et al., ICRA 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from .cameras import check_camera
from .gsmc import check_map_size
from .likelihood import LabelLikelihood
from .map_points import MapPoints


@dataclass(frozen=True)
class FilterOptions:
    """Numbers of the particle filter.

    Attributes:
        num_particles: M.
        start_metres: Spread of the particles at the start, per axis.
        start_degrees: The same of their rotations.
        step_metres: Noise that every step adds, per axis.
        step_degrees: The same of the rotations.
        gap_factor: The noise is this many times larger where odometry is
            missing.
        temperature: The log likelihoods are divided by this: labels of
            neighbouring points are not independent.
        agreement: Probability that the label of a point in view is seen
            again, where no table is given.
    """

    num_particles: int = 500
    start_metres: float = 1.0
    start_degrees: float = 3.0
    step_metres: float = 0.1
    step_degrees: float = 0.3
    gap_factor: float = 10.0
    temperature: float = 10.0
    agreement: float = 0.5


@dataclass(frozen=True)
class FilterStep:
    """The filter's answer for one image.

    Attributes:
        rotation: (3, 3) weighted mean, world to camera.
        translation: (3,) weighted mean of the centres, as translation.
        spread: Weighted standard deviation of the centres, in metres.
        gap: Whether odometry was missing before this image.
        lost: Whether the labels speak against the mean of the particles:
            do not trust the pose.
    """

    rotation: np.ndarray
    translation: np.ndarray
    spread: float
    gap: bool
    lost: bool


class LabelParticleFilter:
    """Follows a camera through a map of labelled points.

    A particle's weight is multiplied by the product, over the points of the
    map that it should see, of P(label in the image | label of the point) /
    P(label in the image), tempered. The ratio to chance makes a point out of
    view neutral, so that particles that see different points can be
    compared.

    Args:
        map_points (MapPoints): Of the map.
        rotation (np.ndarray): (3, 3) guess of the first image's pose.
        translation (np.ndarray): (3,) of it.
        table (LabelLikelihood, optional): Learned likelihoods. Defaults to
            equal labels with ``options.agreement``.
        options (FilterOptions, optional): Numbers.
        seed (int): Seed of all draws.
    """

    def __init__(
        self,
        map_points: MapPoints,
        rotation: np.ndarray,
        translation: np.ndarray,
        table: LabelLikelihood | None = None,
        options: FilterOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.map_points = map_points
        self.table = table
        self.options = options or FilterOptions()
        self._rng = np.random.default_rng(seed)
        num = self.options.num_particles
        self._weights = np.full(num, 1 / num)
        self._rotations: np.ndarray = np.repeat(rotation[None], num, axis=0)
        self._centres = np.repeat((-rotation.T @ translation)[None], num, 0)
        self._scatter(self.options.start_metres, self.options.start_degrees)
        self._started = False
        agreement = self.options.agreement
        chance = min(1 / len(np.unique(map_points.labels)), agreement)
        # Scores of unequal and of equal labels.
        self._equality = np.log(
            [(1 - agreement) / (1 - chance), agreement / chance]
        )

    def step(
        self,
        label_map: np.ndarray,
        camera: Mapping[str, Any],
        odometry: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> FilterStep:
        """Take the next image.

        Args:
            label_map: (H, W) its labels.
            camera: See :func:`~.cameras.check_camera`.
            odometry: Motion since the last image: rotation (3, 3) and
                translation (3,) from the last camera to this one. None for
                the first image; later it is a gap: the particles spread.

        Returns:
            The pose.

        Raises:
            ValueError: The label map is not of the camera's size.
        """
        camera = check_camera(camera)
        check_map_size(label_map, camera)
        gap = self._started and odometry is None
        if self._started:
            self._move(odometry)
        self._started = True
        logs = self._log_likelihoods(
            self._rotations, self._centres, camera, label_map
        )
        logs += np.log(np.maximum(self._weights, 1e-300))
        weights = np.exp(logs - logs.max())
        self._weights = weights / weights.sum()
        rotation, centre, spread = self._mean()
        (evidence,) = self._log_likelihoods(
            rotation[None], centre[None], camera, label_map
        )
        if 1 / (self._weights**2).sum() < len(self._weights) / 2:
            self._resample()
        return FilterStep(
            rotation, -rotation @ centre, spread, gap, bool(evidence <= 0)
        )

    def _move(self, odometry: tuple[np.ndarray, np.ndarray] | None) -> None:
        factor = self.options.gap_factor
        if odometry is not None:
            factor = 1.0
            turn, shift = odometry
            # Centre of the new camera in the axes of the old one.
            step = -turn.T @ shift
            self._centres = self._centres + step @ self._rotations
            self._rotations = turn @ self._rotations
        self._scatter(
            self.options.step_metres * factor,
            self.options.step_degrees * factor,
        )

    def _scatter(self, metres: float, degrees: float) -> None:
        num = len(self._weights)
        self._centres = self._centres + self._rng.normal(0, metres, (num, 3))
        noise = self._rng.normal(0, np.radians(degrees), (num, 3))
        turns: np.ndarray = Rotation.from_rotvec(noise).as_matrix()
        self._rotations = turns @ self._rotations

    def _log_likelihoods(
        self,
        rotations: np.ndarray,
        centres: np.ndarray,
        camera: Mapping[str, Any],
        label_map: np.ndarray,
    ) -> np.ndarray:
        """Tempered log likelihood ratio of each particle: (M,)."""
        translations = -np.einsum('aij,aj->ai', rotations, centres)
        poses, seen, expected = self.map_points.observe(
            rotations, translations, camera, label_map
        )
        if self.table is not None:
            scores = self.table.scores(seen, expected)
        else:
            scores = self._equality[(seen == expected).astype(np.int64)]
        total = np.bincount(poses, scores, minlength=len(rotations))
        return total / self.options.temperature

    def _mean(self) -> tuple[np.ndarray, np.ndarray, float]:
        centre = self._weights @ self._centres
        offset = ((self._centres - centre) ** 2).sum(1)
        mean = Rotation.from_matrix(self._rotations).mean(self._weights)
        return mean.as_matrix(), centre, float(np.sqrt(self._weights @ offset))

    def _resample(self) -> None:
        """Systematic resampling: as many copies as the weight says."""
        num = len(self._weights)
        marks = (np.arange(num) + self._rng.random()) / num
        total = np.cumsum(self._weights)
        rows = np.searchsorted(total, marks).clip(max=num - 1)
        self._centres = self._centres[rows]
        self._rotations = self._rotations[rows]
        self._weights = np.full(num, 1 / num)
