"""What labels are worth in the town, whose truth is known.

Stands on the other rooms; nothing in them knows of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine import Config
from mmseg.utils import get_classes

from ..clustering import kmeans, nearest_centroids
from ..datasets import read_names, read_pair_file
from ..evaluation import BASELINES, kmeans_baseline
from ..evaluation.survey import PairLabels, Survey, survey_checkpoint
from ..evaluation.survey_figures import (
    class_table,
    group_figures,
    majority_classes,
    survey_figures,
)
from .settings import TRAVERSALS

# The first of the targets was driven in the condition of the reference.
WITHIN, *ACROSS = (name for name, _ in TRAVERSALS[1:])
GROUP_BY = r'([^/]*)/[^/]*$'
CLASSES = get_classes('cityscapes')
PLAIN = {'colour': 'raw colour, k-means', 'handmade': 'hand-made, k-means'}
# Views of a place differ little in height: labels may be bands of the image.
ROW = 'image row alone, k-means'


def traversal_of(pair: PairLabels) -> str:
    """Traversal of a pair's target: .../<street>/<traversal>/<name>.jpg."""
    return Path(pair.img_path2).parent.name


def class_map_of(img_path: str) -> Path:
    """Where the class map of an image lies."""
    path = Path(img_path)
    root, inside = path.parents[3], path.relative_to(path.parents[2])
    return root / 'labels' / inside.with_name(f'{path.stem}_labelTrainIds.png')


def plain_figures(
    root: str | os.PathLike, num_clusters: int, short_side: int, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Figures of what nothing had to be learnt for.

    Args:
        root: Folder of the town.
        num_clusters: K.
        short_side: Images are resized to it, as for the network.
        seed: Of k-means.

    Returns:
        By name, ``groups`` as in `survey_figures` and ``used_clusters``.
    """
    root = Path(root)
    files = {part: _pair_files(root, part) for part in ('train', 'val')}
    figures: dict[str, dict[str, Any]] = {}
    for key, name in PLAIN.items():
        rows = kmeans_baseline(
            files['train'],
            files['val'],
            str(root / 'images'),
            BASELINES[key],
            [num_clusters],
            [seed],
            short_side=short_side,
            group_by=GROUP_BY,
        )
        groups = {row['group']: row for row in rows}
        figures[name] = {
            'groups': groups,
            'used_clusters': groups['all']['used_clusters'],
        }
    figures[ROW] = row_figures(files['train'], files['val'], num_clusters)
    return figures


def row_figures(
    train: Sequence[str], val: Sequence[str], num_clusters: int, seed: int = 0
) -> dict[str, Any]:
    """Figures of labels that do not look at the image at all.

    k-means on the row (y) of the training pairs' reference points.

    Args:
        train: Correspondence files.
        val: Correspondence files whose points are labelled.
        num_clusters: K.
        seed: Of k-means.

    Returns:
        ``groups`` as in `survey_figures` and ``used_clusters``.
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
            PairLabels(pair['img_path'], pair['img_path2'], *ends, *labels)
        )
    groups = group_figures(survey, traversal_of)
    used = groups['all']['used_clusters']
    return {'groups': groups, 'used_clusters': used}


def _pair_files(root: Path, part: str) -> list[str]:
    names = read_names(str(root / f'corr_{part}.txt'))
    return [str(root / 'correspondence_data' / name) for name in names]


def checkpoint_figures(
    config: Config,
    checkpoint: str | os.PathLike,
    who: str,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, Any], Survey]:
    """Figures of a network at the held-out places.

    Args:
        config: Of an FGSN on the town.
        checkpoint: File with its weights.
        who: ``'teacher'`` or ``'student'``, see `survey_labels`.
        progress: Called with the number of pairs done and of all.

    Returns:
        Those of `survey_figures` and ``majority``, the class of each
        cluster; and the labels.
    """
    survey = survey_checkpoint(config, checkpoint, who, progress)
    table = class_table(survey, class_map_of)
    figures = survey_figures(survey, traversal_of, table, CLASSES)
    figures['majority'] = majority_classes(table, CLASSES)
    return figures, survey


def across(figures: dict[str, Any], name: str) -> float:
    """Mean of an agreement figure over the conditions that differ.

    Args:
        figures: Of one labelling.
        name: 'agreement', 'chance' or 'match_bits'.

    Returns:
        The mean over all targets but the second summer drive.
    """
    groups = figures['groups']
    return float(np.mean([groups[group][name] for group in ACROSS]))
