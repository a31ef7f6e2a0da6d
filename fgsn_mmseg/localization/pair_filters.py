"""Which points and pairs of a COLMAP model become correspondences."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .cameras import inside_image, project
from .model import MapImage, MapModel
from .poses import camera_centre


@dataclass(frozen=True)
class PairFilters:
    """Limits; the defaults leave out pairs with few matches only.

    Attributes:
        min_matches: Correspondences that a pair needs.
        min_track_length: Images that a point needs.
        max_reprojection_error: Pixels that a keypoint may be off its point.
        min_triangulation_angle: Degrees between the two rays of a point's
            track that differ most.
        max_view_angle: Degrees between the two optical axes of a pair.
    """

    min_matches: int = 30
    min_track_length: int = 2
    max_reprojection_error: float = float('inf')
    min_triangulation_angle: float = 0.0
    max_view_angle: float = 180.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0:
                raise ValueError(
                    f'`{field.name}` should be 0 or above, but got {value!r}.'
                )
        if self.min_matches < 1:
            raise ValueError(
                f'`min_matches` should be at least 1, but got '
                f'{self.min_matches!r}.'
            )


Observations = dict[str, tuple[np.ndarray, np.ndarray]]


def filtered_observations(
    model: MapModel, filters: PairFilters
) -> Observations:
    """What each image sees of the points that pass the filters.

    Args:
        model: The map.
        filters: Limits.

    Returns:
        By the image's name, rows of points (n,) and keypoints (n, 2).
    """
    seen: Observations = {}
    for image in model.images.values():
        rows, pixels = model.observations(image)
        # Undistortion may move keypoints out of the image.
        inside = inside_image(pixels, image.camera)
        rows, pixels = rows[inside], pixels[inside]
        if np.isfinite(filters.max_reprojection_error):
            projected = project(
                model.xyz[rows],
                image.rotation,
                image.translation,
                image.camera,
            )
            error = np.linalg.norm(projected - pixels, axis=1)
            good = error <= filters.max_reprojection_error
            rows, pixels = rows[good], pixels[good]
        seen[image.name] = rows, pixels
    length = np.zeros(len(model.xyz), dtype=np.int64)
    for rows, _ in seen.values():
        length[rows] += 1
    kept = length >= filters.min_track_length
    if filters.min_triangulation_angle > 0:
        kept &= triangulation_angles(model) >= filters.min_triangulation_angle
    return {
        name: (rows[kept[rows]], pixels[kept[rows]])
        for name, (rows, pixels) in seen.items()
    }


def triangulation_angles(model: MapModel) -> np.ndarray:
    """Largest angle between two rays of each point's track.

    Args:
        model: The map.

    Returns:
        (P,) degrees, 0 for a point that fewer than two images see.
    """
    rays: list[list[np.ndarray]] = [[] for _ in model.xyz]
    for image in model.images.values():
        rows, _ = model.observations(image)
        offset = model.xyz[rows] - camera_centre(
            image.rotation, image.translation
        )
        offset /= np.linalg.norm(offset, axis=1, keepdims=True)
        for row, ray in zip(rows.tolist(), offset):
            rays[row].append(ray)
    angles = np.zeros(len(rays))
    for row, track in enumerate(rays):
        if len(track) > 1:
            block = np.array(track)
            angles[row] = np.degrees(
                np.arccos(np.clip((block @ block.T).min(), -1, 1))
            )
    return angles


def view_angle(first: MapImage, second: MapImage) -> float:
    """Degrees between the optical axes of two images."""
    cosine = first.rotation[2] @ second.rotation[2]
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
