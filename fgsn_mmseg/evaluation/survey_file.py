"""A survey on disk, so that a picture need not be computed again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from .survey import PairLabels, Survey

_PER_PAIR = ('points', 'points2', 'labels', 'labels2')


def write_survey(path: str | os.PathLike, survey: Survey) -> None:
    """Write a survey as compressed arrays (``.npz``).

    Args:
        path: File to write; its folder is made.
        survey: Labels of at least one pair.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        'num_clusters': survey.num_clusters,
        'at_points': survey.at_points,
        'elsewhere': survey.elsewhere,
        'counts': [len(pair.labels) for pair in survey.pairs],
        'img_path': [pair.img_path for pair in survey.pairs],
        'img_path2': [pair.img_path2 for pair in survey.pairs],
        'map_path': list(survey.label_maps),
    }
    for name in _PER_PAIR:
        arrays[name] = np.concatenate([getattr(p, name) for p in survey.pairs])
    # Images may differ in size: one array each.
    for index, label_map in enumerate(survey.label_maps.values()):
        arrays[f'map_{index}'] = label_map
    partial = path.with_name(f'{path.name}.part.npz')
    np.savez_compressed(partial, **arrays)
    os.replace(partial, path)


def read_survey(path: str | os.PathLike) -> Survey:
    """Read what `write_survey` has written.

    Args:
        path: The file.

    Returns:
        The survey.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'`path` should be the file of a survey, but got {str(path)!r}, '
            'which is not there. Evaluate the checkpoint first.'
        )
    with np.load(path) as file:
        ends = np.cumsum(file['counts'])[:-1]
        columns = [np.split(file[name], ends) for name in _PER_PAIR]
        paths = zip(file['img_path'].tolist(), file['img_path2'].tolist())
        pairs = [
            PairLabels(*names, *arrays)
            for names, *arrays in zip(paths, *columns)
        ]
        label_maps = {
            name: file[f'map_{index}']
            for index, name in enumerate(file['map_path'].tolist())
        }
        return Survey(
            int(file['num_clusters']),
            pairs,
            label_maps,
            file['at_points'],
            file['elsewhere'],
        )
