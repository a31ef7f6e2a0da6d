"""2D-3D matches of queries from hloc's files, localized with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from .estimate import PoseEstimate, estimate_pose
from .hloc_files import find_pair, read_keypoints, read_matches
from .label_maps import LabelMaps, labels_at
from .likelihood import LabelLikelihood
from .map_labels import MapLabels
from .model import MapModel
from .solver import RansacOptions

# Pixels by which a model's keypoint may be off that of the features file,
# which holds 16 bits.
_SAME_KEYPOINT = 2.0


@dataclass(frozen=True)
class QueryMatches:
    """Matches of one query to the points of a map.

    Attributes:
        points2d: (N, 2) pixels, 0.5 = centre of the first pixel.
        keypoints: (N,) rows of them in the query's features.
        points: (N,) rows of the matched points in the model.
    """

    points2d: np.ndarray
    keypoints: np.ndarray
    points: np.ndarray


def query_matches(
    query: str,
    database: Sequence[str],
    model: MapModel,
    features: h5py.File,
    matches: h5py.File,
) -> QueryMatches:
    """Collect a query's matches over the database images found for it.

    As hloc does it: each match to a keypoint with a 3D point counts once,
    through however many images it came.

    Args:
        query: Name of the query.
        database: Names of database images; those that are not in the model
            or have no matches are passed over.
        model: The map, made of the keypoints in ``features``.
        features: Open features file.
        matches: Open matches file.

    Returns:
        The matches, none where there are none.

    Raises:
        ValueError: The features file lacks an image, or the model was made
            of other features.
    """
    pixels = read_keypoints(features, query)
    found = [np.zeros((0, 2), dtype=np.int64)]
    for name in database:
        if name not in model.images:
            continue
        index = read_matches(matches, query, name)
        if index is None:
            continue
        image = model.images[name]
        own = read_keypoints(features, name)
        if len(own) != len(image.points2d) or (
            np.abs(own - image.points2d).max(initial=0) > _SAME_KEYPOINT
        ):
            raise ValueError(
                f'`model` should be made of the features in '
                f'{features.filename}, but got other keypoints for {name!r} '
                f'({len(image.points2d)} and {len(own)}).'
            )
        rows = image.point_rows[index[:, 1]]
        found.append(np.column_stack([index[:, 0], rows])[rows >= 0])
    pairs = np.unique(np.concatenate(found), axis=0)
    return QueryMatches(pixels[pairs[:, 0]], pairs[:, 0], pairs[:, 1])


def localize_query(
    query: str,
    camera: Mapping[str, Any],
    found: QueryMatches,
    model: MapModel,
    method: str,
    map_labels: MapLabels | None = None,
    label_maps: LabelMaps | None = None,
    table: LabelLikelihood | None = None,
    options: RansacOptions | Mapping[str, Any] | None = None,
    seed: int = 0,
) -> PoseEstimate:
    """Localize one query.

    Args:
        query: Name of the query.
        camera: See :func:`~.cameras.check_camera`.
        found: From :func:`query_matches`.
        model: The map.
        method: See :func:`~.estimate.estimate_pose`.
        map_labels: Labels of the points, for other methods than 'ransac'.
        label_maps: With the label map of the query, likewise.
        table: Learned likelihoods, for 'llr'.
        options: Budget and tolerance.
        seed: Seed of the draws.

    Returns:
        See :func:`~.estimate.estimate_pose`. A query without a label map is
        localized by 'ransac', and marked as not filtered.

    Raises:
        ValueError: As in :func:`~.estimate.estimate_pose`, or a label map
            does not fit.
    """
    labels: dict[str, Any] = {}
    if method != 'ransac':
        if map_labels is None or label_maps is None:
            raise ValueError(
                '`map_labels` and `label_maps` should be given for '
                f'{method!r}, but got None.'
            )
        size = int(camera['width']), int(camera['height'])
        label_map = label_maps.read(query, *size)
        if label_map is None:
            method = 'ransac'
        else:
            labels = dict(
                labels2d=labels_at(label_map, found.points2d),
                labels3d=map_labels.of_points(model.point_ids[found.points]),
            )
    return estimate_pose(
        found.points2d,
        model.xyz[found.points],
        camera,
        method=method,
        seed=seed,
        options=options,
        table=table,
        **labels,
    )


def kept_matches(
    query: str,
    database: Sequence[str],
    found: QueryMatches,
    kept: np.ndarray,
    model: MapModel,
    matches: h5py.File,
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray | None]]:
    """The matches that labels kept, as hloc stores them.

    Args:
        query: Name of the query.
        database: Names of its database images.
        found: From :func:`query_matches`.
        kept: (N,) bool.
        model: The map.
        matches: Open matches file that they came from.

    Returns:
        For :func:`~.hloc_files.write_matches`: by (query, database image),
        ``matches0`` in which dropped matches, and those to keypoints without
        a 3D point, are -1.
    """
    good = set(
        zip(found.keypoints[kept].tolist(), found.points[kept].tolist())
    )
    pairs: dict[tuple[str, str], tuple[np.ndarray, np.ndarray | None]] = {}
    for name in database:
        place = find_pair(matches, query, name)
        index = read_matches(matches, query, name)
        if name not in model.images or place is None or index is None:
            continue
        rows = model.images[name].point_rows[index[:, 1]]
        stays = [
            pair in good for pair in zip(index[:, 0].tolist(), rows.tolist())
        ]
        count = int(max(index[:, 0].max(initial=-1), -1)) + 1
        path, swapped = place
        if not swapped:
            count = len(matches[f'{path}/matches0'])
        partner = np.full(count, -1, dtype=np.int64)
        partner[index[stays, 0]] = index[stays, 1]
        pairs[query, name] = partner, None
    return pairs
