"""Figures of labels that nothing had to be learnt for."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fgsn_mmseg.clustering import kmeans, nearest_centroids
from fgsn_mmseg.datasets import read_names, read_pair_file
from fgsn_mmseg.evaluation import BASELINES, kmeans_baseline
from fgsn_mmseg.evaluation.survey import PairLabels, Survey

from .figures import GROUP_BY, Figures, point_figures

PLAIN = {'colour': 'raw colour, k-means', 'handmade': 'hand-made, k-means'}
# Views of a place differ little in height: labels may be bands of the image.
ROW = 'image row alone, k-means'


def plain_figures(
    root: str | os.PathLike, num_clusters: int, short_side: int, seed: int = 0
) -> dict[str, Figures]:
    """Figures of what nothing had to be learnt for.

    Args:
        root: Folder of the town.
        num_clusters: K.
        short_side: Images are resized to it, as for the network.
        seed: Of k-means.

    Returns:
        Figures by name of the labelling.
    """
    root = Path(root)
    train, val = (
        [
            str(root / 'correspondence_data' / name)
            for name in read_names(str(root / f'corr_{part}.txt'))
        ]
        for part in ('train', 'val')
    )
    figures: dict[str, Figures] = {}
    for key, name in PLAIN.items():
        rows = kmeans_baseline(
            train,
            val,
            str(root / 'images'),
            BASELINES[key],
            [num_clusters],
            [seed],
            short_side=short_side,
            group_by=GROUP_BY,
        )
        figures[name] = _of_rows(rows)
    world = json.loads((root / 'world.json').read_text())
    size = (world['height'], world['width'])
    figures[ROW] = row_figures(train, val, num_clusters, size, seed)
    return figures


def row_figures(
    train: Sequence[str],
    val: Sequence[str],
    num_clusters: int,
    size: tuple[int, int],
    seed: int = 0,
) -> Figures:
    """Figures of labels that do not look at the image at all.

    k-means on the row (y) of the training pairs' reference points.

    Args:
        train: Correspondence files.
        val: Correspondence files whose points are labelled.
        num_clusters: K.
        size: (H, W) of the images.
        seed: Of k-means.

    Returns:
        Figures of the labelling.
    """
    rows = [read_pair_file(path)['points'][:, 1:] for path in train]
    centroids = kmeans(
        np.concatenate(rows).astype(np.float32), num_clusters, seed=seed
    )
    survey = Survey(num_clusters)
    for path in val:
        pair = read_pair_file(path)
        ends = pair['points'], pair['points2']
        labels = [
            nearest_centroids(end[:, 1:].astype(np.float32), centroids)[1]
            for end in ends
        ]
        survey.pairs.append(
            PairLabels(
                pair['img_path'],
                pair['img_path2'],
                ends[0],
                ends[1],
                labels[0],
                labels[1],
                size,
                size,
            )
        )
    return point_figures(survey)


def _of_rows(rows: Sequence[dict[str, Any]]) -> Figures:
    groups = {row['group']: row for row in rows}
    return {'groups': groups, 'used_clusters': groups['all']['used_clusters']}
