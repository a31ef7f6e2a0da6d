"""The labels of a network on a whole set, kept for tables and pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine import Config
from mmseg.registry import MODELS

from ..datasets import read_label_map, write_label_map
from ..models.converters.checkpoint_file import read_checkpoint
from .labelling import (
    ImageLabels,
    NetworkLabeller,
    PairLabels,
    build_pairs,
    label_pairs,
    pair_figures,
    read_pairs,
)
from .stationary import count_references, stationary_clusters

_PER_PAIR = ('points', 'points2', 'labels', 'labels2')


class LabelMapFolder(Mapping[str, np.ndarray]):
    """Label maps by the paths of their images, read when they are asked for.

    Args:
        folder: Where they lie, ``000000.png`` and so on.
        names: Paths of the images of those that are there.
    """

    def __init__(
        self, folder: str | os.PathLike, names: Sequence[str] = ()
    ) -> None:
        self.folder = Path(folder)
        self.names = {name: index for index, name in enumerate(names)}

    def _path(self, name: str) -> str:
        return str(self.folder / f'{self.names[name]:06d}.png')

    def add(self, name: str, label_map: np.ndarray) -> None:
        """Write the label map (H, W) of an image."""
        self.names.setdefault(name, len(self.names))
        write_label_map(self._path(name), label_map)

    def __getitem__(self, name: str) -> np.ndarray:
        return read_label_map(self._path(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass
class Survey:
    """What a network says about a set of pairs."""

    num_clusters: int
    pairs: list[PairLabels] = field(default_factory=list)
    label_maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    """By image path, (H, W) in the size of the file."""
    at_points: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(K,) pixels of a label at correspondences, see `count_references`."""
    elsewhere: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(K,) its other pixels in the same images."""

    def pooled(self) -> tuple[np.ndarray, np.ndarray]:
        """Both labels of all correspondences, (N,) each."""
        empty = np.zeros(0, np.int64)
        return (
            np.concatenate([empty, *(pair.labels for pair in self.pairs)]),
            np.concatenate([empty, *(pair.labels2 for pair in self.pairs)]),
        )

    def figures(self, keep: Sequence[bool] | None = None) -> dict[str, float]:
        """Figures of some pairs, see `pair_figures`.

        Args:
            keep: Which pairs. Defaults to None, all.
        """
        keep = [True] * len(self.pairs) if keep is None else keep
        chosen = [pair for pair, kept in zip(self.pairs, keep) if kept]
        return pair_figures(chosen, self.num_clusters)

    def stationary(self) -> list[int]:
        """Clusters that lie on things that stay."""
        return stationary_clusters(self.at_points, self.elsewhere)


def survey_labels(
    model: Any,
    dataset: Any,
    who: str = 'student',
    map_dir: str | os.PathLike | None = None,
    every: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Label all images and all correspondences of a set of pairs.

    Args:
        model: FGSN in eval mode, its config in ``cfg``.
        dataset: Of pairs, see :func:`build_pairs`.
        who: ``'student'`` or ``'teacher'``, see :class:`NetworkLabeller`.
        map_dir: Folder for the label maps of all images. Defaults to None:
            they are not kept.
        every: Stationary clusters are counted in the reference of every
            n-th pair. Defaults to 5, the paper's.
        progress: Called with the number of images done and of all.

    Returns:
        The labels.

    Raises:
        ValueError: The teacher is asked, but there is none.
    """
    labeller = NetworkLabeller(model, who)
    pairs = read_pairs(dataset)
    on_image = None
    maps: Mapping[str, np.ndarray] = {}
    if map_dir is not None:
        maps = folder = LabelMapFolder(map_dir)

        def on_image(path: str, image: ImageLabels) -> None:
            folder.add(path, image.label_map())

    number = model.num_clusters
    labels = label_pairs(labeller, pairs, on_image, progress)
    counts = count_references(labeller, pairs[::every], number)
    return Survey(number, labels, maps, *counts)


def survey_checkpoint(
    config: Config,
    checkpoint: str | os.PathLike,
    who: str = 'student',
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Survey the validation pairs of a config with one of its checkpoints.

    The label maps go to a folder beside the checkpoint.

    Args:
        config: Of an FGSN.
        checkpoint: File with its weights and, for the teacher, its labels.
        who: See :func:`survey_labels`.
        progress: See :func:`survey_labels`.

    Returns:
        The labels.
    """
    path = Path(checkpoint)
    map_dir = path.with_name(f'{path.stem}_{who}_label_maps')
    return survey_labels(
        load_model(config, path),
        build_pairs(config),
        who,
        map_dir,
        progress=progress,
    )


def load_model(config: Config, checkpoint: str | os.PathLike) -> Any:
    """An FGSN in eval mode, with its config in ``cfg``, to be surveyed.

    Args:
        config: Of its training.
        checkpoint: File with its weights and its teacher.
    """
    model = MODELS.build(config.model)
    model.load_state_dict(read_checkpoint(checkpoint)[1])
    model.cfg = config
    return model.eval()


def write_survey(path: str | os.PathLike, survey: Survey) -> None:
    """Write a survey as compressed arrays (``.npz``).

    Args:
        path: File to write; its folder is made. Label maps stay where they
            are; those in memory go to a folder beside it.
        survey: Labels of at least one pair.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    maps = survey.label_maps
    if not isinstance(maps, LabelMapFolder):
        maps = LabelMapFolder(path.with_name(f'{path.stem}_label_maps'))
        for name, label_map in survey.label_maps.items():
            maps.add(name, label_map)
    arrays: dict[str, Any] = {
        'num_clusters': survey.num_clusters,
        'at_points': survey.at_points,
        'elsewhere': survey.elsewhere,
        'sizes': [[pair.size, pair.size2] for pair in survey.pairs],
        'counts': [len(pair.labels) for pair in survey.pairs],
        'img_path': [pair.img_path for pair in survey.pairs],
        'img_path2': [pair.img_path2 for pair in survey.pairs],
        'map_path': list(maps),
        'map_dir': os.path.relpath(maps.folder, path.parent),
    }
    for name in _PER_PAIR:
        arrays[name] = np.concatenate([getattr(p, name) for p in survey.pairs])
    partial = path.with_name(f'{path.name}.part.npz')
    np.savez_compressed(partial, **arrays)
    os.replace(partial, path)


def read_survey(path: str | os.PathLike) -> Survey:
    """Read what :func:`write_survey` has written.

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
        sizes = file['sizes'].tolist()
        pairs = [
            PairLabels(*names, *arrays, *map(tuple, own))
            for names, own, *arrays in zip(paths, sizes, *columns)
        ]
        maps = LabelMapFolder(
            Path(path).parent / str(file['map_dir']), file['map_path'].tolist()
        )
        return Survey(
            int(file['num_clusters']),
            pairs,
            maps,
            file['at_points'],
            file['elsewhere'],
        )
