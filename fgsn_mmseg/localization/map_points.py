"""Labelled points of a map, and from where each can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cameras import image_points, inside_image
from .label_maps import labels_at
from .label_scores import NO_LABEL
from .map_labels import MapLabels
from .model import MapModel
from .poses import camera_centre

# Pairs of a pose and a point that are looked at together: some 10 MB.
_BLOCK = 1 << 18


@dataclass(frozen=True)
class MapPoints:
    """Labelled points and their visibility.

    A point can be seen from a place if its distance is in a range and the
    direction to the place in a cone. Both are learned from the images that
    see the point.

    Attributes:
        xyz: (P, 3).
        labels: (P,) int64, all of them labels.
        nearest: (P,) smallest distance.
        farthest: (P,) largest distance.
        direction: (P, 3) unit axis of the cone, from the point.
        cosine: (P,) cosine of half the opening of the cone.
    """

    xyz: np.ndarray
    labels: np.ndarray
    nearest: np.ndarray
    farthest: np.ndarray
    direction: np.ndarray
    cosine: np.ndarray

    @classmethod
    def from_model(
        cls,
        model: MapModel,
        labels: MapLabels,
        distance_slack: float = 1.5,
        angle_slack: float = 15.0,
    ) -> MapPoints:
        """Learn the visibility of the labelled points of a model.

        Args:
            model: The map.
            labels: Labels of its points.
            distance_slack: The distances seen are widened by this factor.
            angle_slack: Degrees by which the cone is widened.

        Returns:
            The points that have a label and are seen by an image.

        Raises:
            ValueError: There is no such point.
        """
        kinds = labels.of_points(model.point_ids)
        count = len(model.xyz)
        offsets: list[np.ndarray] = []
        rows: list[np.ndarray] = []
        for image in model.images.values():
            seen, _ = model.observations(image)
            centre = camera_centre(image.rotation, image.translation)
            offsets.append(centre - model.xyz[seen])
            rows.append(seen)
        offset, row = np.concatenate(offsets), np.concatenate(rows)
        distance = np.linalg.norm(offset, axis=1)
        unit = offset / distance[:, None]
        nearest, farthest = np.full(count, np.inf), np.zeros(count)
        np.minimum.at(nearest, row, distance)
        np.maximum.at(farthest, row, distance)
        axis = np.zeros((count, 3))
        np.add.at(axis, row, unit)
        norm = np.linalg.norm(axis, axis=1, keepdims=True)
        axis = np.divide(axis, norm, out=axis, where=norm > 0)
        cosine = np.ones(count)
        np.minimum.at(cosine, row, (unit * axis[row]).sum(1))
        half = np.arccos(np.clip(cosine, -1, 1)) + np.radians(angle_slack)
        kept = (farthest > 0) & (kinds != NO_LABEL)
        if not kept.any():
            raise ValueError(
                '`labels` should label points of the model, but got none of '
                f'{count}. Are they of this model?'
            )
        return cls(
            model.xyz[kept],
            kinds[kept],
            nearest[kept] / distance_slack,
            farthest[kept] * distance_slack,
            axis[kept],
            np.cos(np.minimum(half[kept], np.pi)),
        )

    def sample(self, count: int, seed: int = 0) -> MapPoints:
        """At most ``count`` of the points, drawn at random."""
        if len(self.xyz) <= count:
            return self
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.choice(len(self.xyz), count, replace=False))
        return MapPoints(*(part[rows] for part in vars(self).values()))

    def visible_from(self, centres: np.ndarray) -> np.ndarray:
        """Which points can be seen from places.

        Args:
            centres: (..., 3).

        Returns:
            (..., P) bool.
        """
        offset = np.asarray(centres)[..., None, :] - self.xyz
        distance = np.linalg.norm(offset, axis=-1)
        along = (offset * self.direction).sum(-1)
        return (
            (distance >= self.nearest)
            & (distance <= self.farthest)
            & (along >= self.cosine * distance)
        )

    def observe(
        self,
        rotations: np.ndarray,
        translations: np.ndarray,
        camera: Mapping[str, Any],
        label_map: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What an image shows where poses put the points of the map.

        Args:
            rotations: (A, 3, 3) of the poses, world to camera.
            translations: (A, 3).
            camera: See :func:`~.cameras.check_camera`.
            label_map: (H, W) labels of the image.

        Returns:
            For the points that can be seen from a pose, lie in the image, and
            on a pixel with a label: rows of the poses (n,), labels of the
            image (n,) and of the points (n,).
        """
        found = []
        size = max(1, _BLOCK // len(self.xyz))
        for start in range(0, len(rotations), size):
            block = slice(start, start + size)
            turns, shifts = rotations[block], translations[block]
            centres = -np.einsum('aji,aj->ai', turns, shifts)
            poses, rows = np.nonzero(self.visible_from(centres))
            in_camera = np.einsum('nij,nj->ni', turns[poses], self.xyz[rows])
            pixels = image_points(in_camera + shifts[poses], camera)
            inside = inside_image(pixels, camera)
            seen = labels_at(label_map, pixels[inside])
            known = seen != NO_LABEL
            poses, rows = poses[inside][known], rows[inside][known]
            found.append((start + poses, seen[known], self.labels[rows]))
        poses, seen, expected = (np.concatenate(part) for part in zip(*found))
        return poses, seen, expected
