"""Each image of a model as a query against the model of the others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from .cameras import project
from .estimate import PoseEstimate, estimate_pose
from .label_maps import LabelMaps, labels_at
from .likelihood import LabelLikelihood
from .map_labels import vote_labels
from .model import MapImage, MapModel
from .poses import pose_error
from .sift_matches import SiftMatcher, SiftOptions
from .solver import RansacOptions

# Images that must see a point without the query's.
_MIN_TRACK = 2


@dataclass(frozen=True)
class LeftOut:
    """What became of one image.

    Attributes:
        name: Of the image.
        matches: 2D-3D matches.
        right: Of them, those that fit its pose in the full model.
        agreement: Shares of right and of wrong matches with equal labels;
            NaN without labels.
        distance: Median depth of the points that it sees in the full model:
            models have no scale of their own.
        errors: By method, the distance to the true centre in units of the
            model, and degrees; infinite where there is no pose.
        estimates: By method.
    """

    name: str
    matches: int
    right: int
    agreement: tuple[float, float]
    distance: float
    errors: dict[str, tuple[float, float]]
    estimates: dict[str, PoseEstimate]


def leave_one_out(
    model: MapModel,
    images: str | os.PathLike,
    label_maps: LabelMaps | None,
    methods: Iterable[str],
    sift: SiftOptions | None = None,
    options: RansacOptions | None = None,
    seed: int = 0,
    table: LabelLikelihood | None = None,
) -> Iterator[LeftOut]:
    """Localize every image of a model by the others.

    Its own observations are taken out of the map: labels of points are the
    others' votes, and points that fewer than two others see are gone. The
    positions of the points stay, though the image helped to find them.

    Args:
        model: The full model; its poses are the truth.
        images: Folder of its images.
        label_maps: Of all of them, for other methods than 'ransac'.
        methods: Of :func:`~.estimate.estimate_pose`.
        sift: Numbers of the matcher.
        options: Budget and tolerance.
        seed: Seed of the draws.
        table: Learned likelihoods, for 'llr'.

    Yields:
        What became of each image.

    Raises:
        ValueError: A label map does not fit, or is missing.
    """
    budget = options or RansacOptions()
    methods = list(methods)
    matcher = SiftMatcher(model, images, sift)
    for name, image in model.images.items():
        others = without_image(model, name)
        spots, _, partners = matcher.match(name, list(others.images))
        points2d, rows = _distinct_matches(spots, partners, others)
        points = model.xyz[rows]
        truth = image.rotation, image.translation
        pixels = project(points, *truth, image.camera)
        right = np.linalg.norm(pixels - points2d, axis=1) <= budget.max_error
        labels: tuple[np.ndarray | None, np.ndarray | None] = None, None
        agreement = np.nan, np.nan
        if label_maps is not None:
            first, second = _labels(image, points2d, rows, others, label_maps)
            labels = first, second
            equal = (first == second) & (first >= 0)
            agreement = _mean(equal[right]), _mean(equal[~right])
        errors, estimates = {}, {}
        for method in methods:
            found = estimate_pose(
                points2d,
                points,
                image.camera,
                *labels,
                method=method,
                seed=seed,
                options=budget,
                table=table,
            )
            estimates[method] = found
            errors[method] = np.inf, np.inf
            if found.success:
                pose = found.rotation, found.translation
                errors[method] = pose_error(*pose, *truth)
        seen = model.xyz[image.point_rows[image.point_rows >= 0]]
        depth = (seen @ image.rotation.T + image.translation)[:, 2]
        yield LeftOut(
            name,
            len(rows),
            int(right.sum()),
            agreement,
            float(np.median(depth)) if len(depth) else np.nan,
            errors,
            estimates,
        )


def without_image(model: MapModel, name: str) -> MapModel:
    """A model without one image.

    Args:
        model: The model.
        name: Of the image.

    Returns:
        The other images; keypoints of points that fewer than two of them see
        have none any more. The points keep their rows.
    """
    images = {key: image for key, image in model.images.items() if key != name}
    track = np.zeros(len(model.xyz), np.int64)
    for image in images.values():
        seen, _ = model.observations(image)
        track[seen] += 1
    gone = track < _MIN_TRACK
    kept = {}
    for key, image in images.items():
        rows = image.point_rows
        rows = np.where((rows >= 0) & gone[rows], -1, rows)
        kept[key] = replace(image, point_rows=rows)
    return replace(model, images=kept)


def _distinct_matches(
    spots: np.ndarray, partners: dict[str, np.ndarray], model: MapModel
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 2) and rows of points (N,), each pair once."""
    found = [np.zeros((0, 2), np.int64)]
    for name, partner in partners.items():
        keypoints = np.flatnonzero(partner >= 0)
        rows = model.images[name].point_rows[partner[keypoints]]
        found.append(np.column_stack([keypoints, rows])[rows >= 0])
    pairs = np.unique(np.concatenate(found), axis=0)
    return spots[pairs[:, 0]], pairs[:, 1]


def _labels(
    image: MapImage,
    points2d: np.ndarray,
    rows: np.ndarray,
    others: MapModel,
    label_maps: LabelMaps,
) -> tuple[np.ndarray, np.ndarray]:
    """Labels of pixels and points of matches: (N,) and (N,)."""
    size = image.camera['width'], image.camera['height']
    label_map = label_maps.read(image.name, *size)
    if label_map is None:
        raise ValueError(
            f'`label_maps` should have the map of {image.name!r}, but '
            f'{label_maps.folder} has none.'
        )
    labels, _ = vote_labels(others, label_maps)
    return labels_at(label_map, points2d), labels.labels[rows]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
