"""What the labels of a whole set are worth, in figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .cluster_information import (
    cluster_class_counts,
    contingency_table,
    majority_vote_iou,
    normalized_mutual_information,
    purity,
)
from .survey import PairLabels, Survey

NUM_CLASSES = 19


def class_table(
    survey: Survey,
    class_map_of: Callable[[str], Path],
    num_classes: int = NUM_CLASSES,
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
        part = contingency_table(
            *cluster_class_counts(
                label_map.astype(np.int64), classes, num_classes
            ),
            num_classes,
        )
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
    votes = table.argmax(axis=1)
    return [
        names[vote] if row.sum() else 'nothing'
        for vote, row in zip(votes, table)
    ]


def class_figures(table: np.ndarray) -> dict[str, float]:
    """``NMI``, ``purity`` and ``mIoU`` as `ClusterInformationMetric` has."""
    return {
        'NMI': normalized_mutual_information(table),
        'purity': purity(table),
        'mIoU': 100 * float(np.nanmean(majority_vote_iou(table))),
    }


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
    moving: Sequence[str] = ('sky', 'person', 'car'),
) -> dict[str, Any]:
    """All figures of one labelling.

    Args:
        survey: Labels of pairs and images.
        group_of: Name of the condition of a pair.
        table: (K, C) of `class_table`.
        class_names: (C,) names of the classes.
        moving: Classes whose clusters should not be stationary.

    Returns:
        ``groups``: the agreement figures of each condition and of ``all``;
        ``NMI``, ``purity``, ``mIoU``; ``used_clusters``: those with a pixel;
        ``stationary``: their share, in [0, 1], that is stationary;
        ``moving``: for each of these classes how many clusters are mostly
        of it, and how many of those are not stationary.
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
        **class_figures(table),
        'used_clusters': len(used),
        'stationary': len(stationary) / max(len(used), 1),
        'moving': movers,
    }
