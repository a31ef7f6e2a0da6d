"""Poses from labels alone: sequences, and rough poses made better."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import mmengine
import numpy as np

from .hloc_lists import Poses
from .label_alignment import AlignmentOptions, align_labels
from .label_maps import LabelMaps
from .label_scores import NO_LABEL
from .likelihood import LabelLikelihood
from .map_points import MapPoints
from .particle_filter import FilterOptions, LabelParticleFilter
from .poses_report import PosesReport


def follow_sequence(
    map_points: MapPoints,
    label_maps: LabelMaps,
    cameras: Mapping[str, Mapping[str, Any]],
    odometry: Poses,
    start: tuple[np.ndarray, np.ndarray],
    out: str | os.PathLike,
    table: LabelLikelihood | None = None,
    options: FilterOptions | None = None,
    seed: int = 0,
) -> PosesReport:
    """Follow a sequence through a map with PFSL.

    Writes ``poses.txt`` and ``diagnostics.csv`` to ``out``.

    Args:
        map_points: Of the map.
        label_maps: Of the images. An image without one moves the particles
            only, and is marked.
        cameras: By image, in the order of the sequence.
        odometry: By image, the motion from the camera before to this one;
            an image without it is a gap, and is marked.
        start: Rough pose of the first image.
        out: Folder to write to.
        table: Learned likelihoods.
        options: Numbers of the filter.
        seed: Of all draws.

    Returns:
        The poses, and which are not to be trusted.

    Raises:
        ValueError: A label map does not fit.
    """
    follower = LabelParticleFilter(map_points, *start, table, options, seed)
    report = PosesReport()
    rows: list[list[Any]] = [['name', 'spread', 'gap', 'lost', 'note']]
    bar = mmengine.ProgressBar(len(cameras))
    for name, camera in cameras.items():
        size = int(camera['width']), int(camera['height'])
        labels = label_maps.read(name, *size)
        notes = []
        if labels is None:
            notes.append('no label map')
            labels = np.full(size[::-1], NO_LABEL)
        step = follower.step(labels, camera, odometry.get(name))
        if step.gap:
            notes.append('no odometry')
        if step.lost:
            notes.append('labels speak against it')
        report.poses[name] = step.rotation, step.translation
        note = '; '.join(notes)
        if note:
            report.marked[name] = note
        rows.append([name, f'{step.spread:.4f}', step.gap, step.lost, note])
        bar.update()
    bar.file.write('\n')
    report.write(out, rows)
    return report


def align_queries(
    map_points: MapPoints,
    label_maps: LabelMaps,
    cameras: Mapping[str, Mapping[str, Any]],
    rough: Poses,
    out: str | os.PathLike,
    options: AlignmentOptions | None = None,
    seed: int = 0,
) -> PosesReport:
    """Refine rough poses by labels alone.

    Writes ``poses.txt`` and ``diagnostics.csv`` to ``out``.

    Args:
        map_points: Of the map.
        label_maps: Of the queries.
        cameras: By query.
        rough: Rough pose of each query.
        out: Folder to write to.
        options: Numbers of the search.
        seed: Of the search.

    Returns:
        The poses. A query without label map or rough pose, or whose rough
        pose sees too little, has none.
    """
    report = PosesReport()
    rows: list[list[Any]] = [['name', 'points', 'before', 'after', 'note']]
    bar = mmengine.ProgressBar(len(cameras))
    for name, camera in cameras.items():
        bar.update()
        try:
            labels = label_maps.read(
                name, int(camera['width']), int(camera['height'])
            )
            if labels is None or name not in rough:
                what = 'label map' if labels is None else 'rough pose'
                raise ValueError(f'no {what}')
            found = align_labels(
                *rough[name], camera, labels, map_points, options, seed
            )
        except ValueError as error:
            report.failed[name] = str(error)
            rows.append([name, 0, '', '', str(error)])
            continue
        report.poses[name] = found.rotation, found.translation
        shares = found.agreement_before, found.agreement
        if shares[1] <= shares[0]:
            report.marked[name] = 'labels agree no better than before'
        note = report.marked.get(name, '')
        cells = [f'{share:.4f}' for share in shares]
        rows.append([name, found.num_points, *cells, note])
    bar.file.write('\n')
    report.write(out, rows)
    return report
