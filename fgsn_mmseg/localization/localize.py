"""Localize a list of queries with hloc's files, and write what comes out."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import h5py
import mmengine

from .estimate import PoseEstimate
from .hloc_files import open_h5, write_matches
from .hloc_lists import read_queries, read_retrieval
from .hloc_queries import (
    LabelEvidence,
    QueryMatches,
    kept_matches,
    localize_query,
    query_matches,
)
from .model import MapModel, read_model
from .pictures import draw_matches, draw_points, write_query_picture
from .poses_report import PosesReport
from .solver import RansacOptions

MATCHES = 'matches.h5'
PICTURES = 'pictures'
_COLUMNS = (
    'name',
    'success',
    'filtered',
    'matches',
    'kept',
    'inliers',
    'iterations',
    'seconds',
    'note',
)


def localize_queries(
    model_path: str | os.PathLike,
    features: str | os.PathLike,
    matches: str | os.PathLike,
    queries: str | os.PathLike,
    retrieval: str | os.PathLike,
    out: str | os.PathLike,
    method: str = 'ransac',
    evidence: LabelEvidence | None = None,
    options: RansacOptions | Mapping[str, Any] | None = None,
    seed: int = 0,
    images: str | os.PathLike | None = None,
) -> PosesReport:
    """Localize queries.

    Writes to ``out``: ``poses.txt`` in the format of the benchmarks,
    ``diagnostics.csv`` with a line a query, ``matches.h5`` with the matches
    that the labels kept (hloc localizes with it), and, where ``images`` is
    given, ``pictures/<query>.jpg``: the matches, and the labelled points of
    the map at the pose found.

    Args:
        model_path: COLMAP model made of the features.
        features: hloc's features of database and queries.
        matches: hloc's matches of queries and database.
        queries: List of queries with intrinsics; a name alone takes the
            camera that all images of the model share.
        retrieval: List of pairs "query database".
        out: Folder to write to.
        method: See :func:`~.hloc_queries.localize_query`.
        evidence: Labels, for other methods than 'ransac'.
        options: Budget and tolerance.
        seed: Seed of the draws.
        images: Folder of the query images, for pictures.

    Returns:
        What was done. A query that cannot be localized stops nothing.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is not as described.
        ImportError: The extra ``[localization]`` is not installed.
    """
    model = read_model(model_path)
    cameras = read_queries(queries, model.common_camera())
    pairs = read_retrieval(retrieval)
    report = PosesReport()
    os.makedirs(out, exist_ok=True)
    kept: dict = {}
    rows: list[Sequence[Any]] = [_COLUMNS]
    bar = mmengine.ProgressBar(len(cameras))
    with open_h5(features) as feature_file, open_h5(matches) as match_file:
        for name, camera in cameras.items():
            database = pairs.get(name, [])
            result = _localize(
                name,
                camera,
                database,
                model,
                (feature_file, match_file),
                partial(
                    localize_query,
                    method=method,
                    options=options,
                    seed=seed,
                    evidence=evidence,
                ),
            )
            bar.update()
            if isinstance(result, str):
                report.failed[name] = result
                rows.append([name, False, False, *[0] * 5, result])
                continue
            found, estimate = result
            rows.append(_row(name, estimate))
            kept |= kept_matches(
                name, database, found, estimate.kept, model, match_file
            )
            if not estimate.success:
                report.failed[name] = estimate.note
                continue
            report.poses[name] = estimate.rotation, estimate.translation
            if estimate.note:
                report.marked[name] = estimate.note
            if images is not None:
                _picture(
                    osp.join(images, name),
                    osp.join(out, PICTURES, f'{name}.jpg'),
                    found,
                    estimate,
                    evidence,
                    camera,
                )
    bar.file.write('\n')
    write_matches(osp.join(out, MATCHES), kept)
    report.write(out, rows)
    return report


def _localize(
    name: str,
    camera: dict[str, Any],
    database: list[str],
    model: MapModel,
    files: tuple[h5py.File, h5py.File],
    localize: partial,
) -> tuple[QueryMatches, PoseEstimate] | str:
    """Matches and estimate, or in one line why there is none."""
    try:
        found = query_matches(name, database, model, *files)
        return found, localize(name, database, camera, found, model)
    except ValueError as error:
        return str(error)


def _row(name: str, estimate: PoseEstimate) -> list[Any]:
    return [
        name,
        estimate.success,
        estimate.filtered,
        len(estimate.kept),
        int(estimate.kept.sum()),
        int(estimate.inliers.sum()),
        estimate.iterations,
        f'{estimate.seconds:.4f}',
        estimate.note,
    ]


def _picture(
    image: str,
    target: str,
    found: QueryMatches,
    estimate: PoseEstimate,
    evidence: LabelEvidence | None,
    camera: dict[str, Any],
) -> None:
    layers = [
        partial(draw_matches, points2d=found.points2d, estimate=estimate)
    ]
    if evidence is not None:
        layers.append(
            partial(
                draw_points,
                xyz=evidence.map_labels.xyz,
                labels=evidence.map_labels.labels,
                rotation=estimate.rotation,
                translation=estimate.translation,
                camera=camera,
            )
        )
    write_query_picture(image, target, *layers)
