"""2D-3D matches of queries from hloc's files, localized with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import h5py
import numpy as np

from .estimate import PoseEstimate, estimate_pose
from .gsmc import Upright, gsmc_pose
from .hloc_files import (
    check_matched,
    find_pair,
    read_keypoints,
    read_matches,
)
from .label_maps import LabelMaps, labels_at
from .likelihood import LabelLikelihood
from .map_labels import MapLabels
from .map_points import MapPoints
from .model import MapModel
from .solver import MIN_MATCHES, RansacOptions

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
        ValueError: The features file lacks an image, or the model or the
            matches were made of other features.
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
        check_matched(index, (len(pixels), len(own)), (query, name), matches)
        rows = image.point_rows[index[:, 1]]
        found.append(np.column_stack([index[:, 0], rows])[rows >= 0])
    pairs = np.unique(np.concatenate(found), axis=0)
    return QueryMatches(pixels[pairs[:, 0]], pairs[:, 0], pairs[:, 1])


@dataclass(frozen=True)
class LabelEvidence:
    """What the methods with labels need.

    Attributes:
        map_labels: Labels of the map's points.
        label_maps: Label maps of the queries.
        table: Learned likelihoods, for 'llr'.
        use: What 'llr' does with them, see :func:`~.estimate.estimate_pose`.
        confidence: Whether scores are multiplied by the share of its votes
            that a point's label got.
        uprights: By query, what is known of its camera, for 'gsmc'.
        gsmc_points: Labelled points that 'gsmc' looks at, at most.
        gsmc_angles: Poses that it tries for a match.
    """

    map_labels: MapLabels
    label_maps: LabelMaps
    table: LabelLikelihood | None = None
    use: str = 'filter'
    confidence: bool = False
    uprights: Mapping[str, Upright] = field(default_factory=dict)
    gsmc_points: int = 1000
    gsmc_angles: int = 72


def localize_query(
    query: str,
    database: Sequence[str],
    camera: Mapping[str, Any],
    found: QueryMatches,
    model: MapModel,
    method: str,
    evidence: LabelEvidence | None = None,
    options: RansacOptions | Mapping[str, Any] | None = None,
    seed: int = 0,
) -> PoseEstimate:
    """Localize one query.

    Args:
        query: Name of the query.
        database: Names of its database images.
        camera: See :func:`~.cameras.check_camera`.
        found: From :func:`query_matches`.
        model: The map.
        method: Of :func:`~.estimate.estimate_pose`, or 'gsmc', which looks
            at the labelled points that the database images see.
        evidence: For other methods than 'ransac'.
        options: Budget and tolerance.
        seed: Seed of the draws.

    Returns:
        See :func:`~.estimate.estimate_pose`. A query without a label map is
        localized by 'ransac', and marked as not filtered.

    Raises:
        ValueError: As in :func:`~.estimate.estimate_pose`, a label map does
            not fit, or of the query nothing is known that 'gsmc' needs.
    """
    matches = found.points2d, model.xyz[found.points]
    plain = partial(
        estimate_pose, *matches, camera, seed=seed, options=options
    )
    if method == 'ransac':
        return plain()
    if evidence is None:
        raise ValueError(
            f'`evidence` should be given for {method!r}, but got None.'
        )
    size = int(camera['width']), int(camera['height'])
    label_map = evidence.label_maps.read(query, *size)
    if len(found.points2d) < MIN_MATCHES:
        return plain()
    if label_map is None:
        found_plainly = plain()
        notes = 'no label map', found_plainly.note
        return replace(found_plainly, note='; '.join(filter(None, notes)))
    if method == 'gsmc':
        if query not in evidence.uprights:
            raise ValueError(
                f'`uprights` should tell gravity and height of {query!r}, '
                'but got nothing of it.'
            )
        points = MapPoints.from_model(
            model.part(database), evidence.map_labels
        )
        return gsmc_pose(
            *matches,
            camera,
            label_map,
            points.sample(evidence.gsmc_points, seed),
            evidence.uprights[query],
            seed,
            options,
            evidence.gsmc_angles,
        )
    ids = model.point_ids[found.points]
    shares = evidence.map_labels.shares_of(ids)
    return plain(
        labels2d=labels_at(label_map, found.points2d),
        labels3d=evidence.map_labels.of_points(ids),
        method=method,
        table=evidence.table,
        use=evidence.use,
        confidence=shares if evidence.confidence else None,
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
