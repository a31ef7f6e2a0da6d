"""What labels are worth in the town, in figures.

Figures of one labelling are a dict: ``groups``, the agreement figures of
each condition and of ``all``, and ``used_clusters``; of a network also
``NMI``, ``purity`` and ``mIoU`` with the true classes, the share of
``stationary`` clusters, and ``moving``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine import Config
from mmseg.utils import get_classes

from fgsn_mmseg.engine.training_run import first_checkpoint
from fgsn_mmseg.evaluation import (
    cluster_class_counts,
    contingency_table,
    majority_vote_iou,
    normalized_mutual_information,
    purity,
)
from fgsn_mmseg.evaluation.labelling import build_pairs
from fgsn_mmseg.evaluation.survey import (
    PairLabels,
    Survey,
    load_model,
    survey_checkpoint,
    survey_labels,
)

from ..settings import TRAVERSALS

Figures = dict[str, Any]

# The first of the targets was driven in the condition of the reference.
WITHIN, *ACROSS = (name for name, _ in TRAVERSALS[1:])
GROUP_BY = r'([^/]*)/[^/]*$'
CLASSES = get_classes('cityscapes')
# Their clusters should not be stationary.
MOVING = ('sky', 'person', 'car')


def traversal_of(pair: PairLabels) -> str:
    """Traversal of a pair's target: .../<street>/<traversal>/<name>.jpg."""
    return Path(pair.img_path2).parent.name


def class_map_of(img_path: str) -> Path:
    """Where the class map of an image lies."""
    path = Path(img_path)
    root, inside = path.parents[3], path.relative_to(path.parents[2])
    return root / 'labels' / inside.with_name(f'{path.stem}_labelTrainIds.png')


def across(figures: Figures, name: str) -> float:
    """Mean of an agreement figure over the conditions that differ.

    Args:
        figures: Of one labelling.
        name: 'agreement', 'chance', 'match_bits' or 'match_bits_hard'.

    Returns:
        The mean over all targets but the second summer drive.
    """
    groups = figures['groups']
    return float(np.mean([groups[group][name] for group in ACROSS]))


def point_figures(survey: Survey) -> Figures:
    """Figures of labels at points alone, without maps."""
    groups = group_figures(survey, traversal_of)
    return {'groups': groups, 'used_clusters': groups['all']['used_clusters']}


def before_and_after(
    config: Config, work_dir: str | os.PathLike, last: str | os.PathLike
) -> Iterator[tuple[str, Figures, Survey]]:
    """Label the held-out places before and after a training.

    Args:
        config: Of an FGSN on the town.
        work_dir: Folder of its run.
        last: Its last checkpoint.

    Yields:
        ``'before'``, the labels as they were first clustered, and then
        ``'after'``: figures with ``majority``, the class of each cluster,
        and the labels.
    """
    first = first_checkpoint(config, work_dir)
    for name, checkpoint, who in (
        ('before', first, 'teacher'),
        ('after', last, 'student'),
    ):
        survey = survey_checkpoint(config, checkpoint, who)
        table = class_table(survey, class_map_of, len(CLASSES))
        figures = survey_figures(survey, traversal_of, table, CLASSES)
        figures['majority'] = majority_classes(table, CLASSES)
        yield name, figures, survey


def learning_curve(
    config: Config,
    work_dir: str | os.PathLike,
    after: Figures,
    every: int = 100,
) -> dict[str, dict[str, float]]:
    """How the student's labels became better over a training.

    Args:
        config: Of an FGSN on the town.
        work_dir: Folder of its run, with checkpoints ``iter_<n>.pth``.
        after: Figures of the last of them.
        every: Of the others, n is a multiple of it.

    Returns:
        For each checkpoint, by its number of iterations in ascending order:
        ``match_bits`` and ``match_bits_hard`` over the other conditions.
    """
    paths = {
        int(path.stem.split('_')[1]): path
        for path in Path(work_dir).glob('iter_*.pth')
    }
    *numbers, last = sorted(paths)
    pairs = build_pairs(config)
    figures = {
        number: point_figures(
            survey_labels(load_model(config, paths[number]), pairs)
        )
        for number in numbers
        if number % every == 0
    }
    figures[last] = after
    return {
        str(number): {
            name: across(own, name)
            for name in ('match_bits', 'match_bits_hard')
        }
        for number, own in figures.items()
    }


def class_table(
    survey: Survey, class_map_of: Callable[[str], Path], num_classes: int
) -> np.ndarray:
    """Count the pixels of each cluster and class in all images.

    Args:
        survey: Labels of the images.
        class_map_of: Path of the class map (8-bit PNG) of an image path.
        num_classes: C.

    Returns:
        (K, C) int64.

    Raises:
        FileNotFoundError: A class map is missing.
    """
    table = np.zeros((survey.num_clusters, num_classes), np.int64)
    for path, label_map in survey.label_maps.items():
        class_path = class_map_of(path)
        classes = cv2.imread(str(class_path), cv2.IMREAD_UNCHANGED)
        if classes is None:
            raise FileNotFoundError(
                f'`class_map_of` should lead to a class map, but got '
                f'{str(class_path)!r} for {path!r}. Write the world anew.'
            )
        labels = label_map.astype(np.int64)
        counts = cluster_class_counts(labels, classes, num_classes)
        part = contingency_table(*counts, num_classes)
        table[: len(part)] += part
    return table


def majority_classes(table: np.ndarray, names: Sequence[str]) -> list[str]:
    """What each cluster is mostly.

    Args:
        table: (K, C) counts.
        names: (C,) names of the classes.

    Returns:
        (K,) names; 'nothing' for a cluster without a pixel.
    """
    return [names[row.argmax()] if row.any() else 'nothing' for row in table]


def group_figures(
    survey: Survey, group_of: Callable[[PairLabels], str]
) -> dict[str, dict[str, float]]:
    """Agreement figures of all pairs and of each group of them.

    Args:
        survey: Labels of pairs.
        group_of: Name of the group of a pair.

    Returns:
        By group, ``all`` first, see `agreement_figures`.
    """
    groups = {'all': survey.figures()}
    names = [group_of(pair) for pair in survey.pairs]
    for name in dict.fromkeys(names):
        groups[name] = survey.figures([other == name for other in names])
    return groups


def survey_figures(
    survey: Survey,
    group_of: Callable[[PairLabels], str],
    table: np.ndarray,
    class_names: Sequence[str],
    moving: Sequence[str] = MOVING,
) -> Figures:
    """All figures of one labelling.

    Args:
        survey: Labels of pairs and images.
        group_of: Name of the condition of a pair.
        table: (K, C) of `class_table`.
        class_names: (C,) names of the classes.
        moving: Classes whose clusters should not be stationary.

    Returns:
        Of ``used_clusters``, those with a pixel, ``stationary`` is the
        share, in [0, 1]; ``moving`` is for each class how many clusters are
        mostly of it, and how many of those are not stationary.
    """
    used = np.flatnonzero(table.sum(axis=1))
    stationary = set(survey.stationary()) & set(used.tolist())
    majority = majority_classes(table, class_names)
    movers = {}
    for name in moving:
        own = [k for k in used.tolist() if majority[k] == name]
        movers[name] = [len(own), sum(k not in stationary for k in own)]
    return {
        'groups': group_figures(survey, group_of),
        'NMI': normalized_mutual_information(table),
        'purity': purity(table),
        'mIoU': 100 * float(np.nanmean(majority_vote_iou(table))),
        'used_clusters': len(used),
        'stationary': len(stationary) / max(len(used), 1),
        'moving': movers,
    }
