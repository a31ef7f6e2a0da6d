"""Who labels the town: its classes, a base network, k-means, an FGSN."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mmengine import Config
from mmseg.registry import MODELS

from fgsn_mmseg.apis import load_segmentor
from fgsn_mmseg.datasets import write_label_map
from fgsn_mmseg.engine.training_run import FINISHED, first_checkpoint
from fgsn_mmseg.evaluation.labelling import NetworkLabeller
from fgsn_mmseg.models.converters.checkpoint_file import read_checkpoint

from .figures import CLASSES, class_map_of

NO_LABELS = 'none'
TRUE_CLASSES = 'true classes'
BASE_CLASSES = 'base network, classes'
_BASE = 'base'
# Experiments that start from the clusters of another one.
_SAME_START = ('nocorr', 'noseg', 'hinge', 'random')

LabelMapOf = Callable[[str], np.ndarray]
"""Path of an image -> (H, W) labels in the size of the file."""


@dataclass(frozen=True)
class Labelling:
    """One way to label the town.

    Attributes:
        name: What it is called in tables.
        num_clusters: K.
        seed: Of the networks.
        run: Folder of the training; None where none is needed.
        who: 'classes' of a base network, 'student' or 'teacher' of an FGSN,
            'truth', or '' for no labels at all.
        short_side: Images are resized to it; None: as the config says.
    """

    name: str
    num_clusters: int
    seed: int = 0
    run: Path | None = None
    who: str = ''
    short_side: int | None = None

    @property
    def key(self) -> str:
        """Name of its files."""
        name = self.name.replace(', ', '-').replace(' ', '-')
        return f'{name}_seed{self.seed}'

    def label_map_of(self) -> LabelMapOf:
        """Load what labels images."""
        if self.run is None:
            return _true_classes
        config = Config.fromfile(self.run.with_name(f'{self.run.name}.py'))
        if self.short_side is not None:
            for step in config.test_pipeline:
                if 'short_side' in step:
                    step.short_side = self.short_side
        last = (self.run / 'last_checkpoint').read_text().strip()
        checkpoint = self.run / Path(last).name  # the folder may have moved
        if self.who == 'teacher':
            checkpoint = first_checkpoint(config, self.run)
            model = MODELS.build(config.model)
            model.load_state_dict(read_checkpoint(checkpoint)[1])
            model.cfg = config
            model.eval()
        elif self.who == 'student':
            model = load_segmentor(config, checkpoint)
        else:
            as_fgsn = {
                'model.type': 'FGSN',
                'model.num_clusters': len(CLASSES),
            }
            model = load_segmentor(config, checkpoint, cfg_options=as_fgsn)
        who = 'teacher' if self.who == 'teacher' else 'student'
        labeller = NetworkLabeller(model, who)
        return lambda path: labeller(path).label_map()


def find_labellings(
    grid: str | os.PathLike,
    seeds: Sequence[int],
    short_side: int | None = None,
) -> list[Labelling]:
    """No labels, the true classes, and those of all finished trainings.

    Args:
        grid: Folder of the trainings of ``grid.py``.
        seeds: Which seeds.
        short_side: FGSNs get images of this size instead of their own;
            their names end in it.

    Returns:
        The labellings: of an FGSN after training and, where it does not
        start from another one's clusters, before it: k-means without
        training.
    """
    found = [
        Labelling(NO_LABELS, 0),
        Labelling(TRUE_CLASSES, len(CLASSES), who='truth'),
    ]
    runs = [path.parent for path in Path(grid).glob(f'*_seed*/{FINISHED}')]
    for run in sorted(runs, key=_order):
        name, seed = run.name.rsplit('_seed', 1)
        if int(seed) not in seeds:
            continue
        if name == _BASE:
            found.append(
                Labelling(BASE_CLASSES, len(CLASSES), int(seed), run, 'base')
            )
            continue
        config = Config.fromfile(run.with_name(f'{run.name}.py'))
        number = config.model.num_clusters
        size = '' if short_side is None else f' at {short_side}'
        kinds = {f'{name}{size}': 'student'}
        if not name.endswith(_SAME_START):
            kinds = {f'{name}{size}, before': 'teacher', **kinds}
        found += [
            Labelling(kind, number, int(seed), run, who, short_side)
            for kind, who in kinds.items()
        ]
    return found


def _true_classes(path: str) -> np.ndarray:
    stored = cv2.imread(str(class_map_of(path)), cv2.IMREAD_UNCHANGED)
    return np.asarray(stored).astype(np.int64)


def _order(run: Path) -> tuple[int, int, str]:
    name, seed = run.name.rsplit('_seed', 1)
    number = name.split('-')[0].removeprefix('c')
    return int(seed), int(number) if number.isdigit() else 0, name


def write_label_maps(
    label_map_of: LabelMapOf,
    images: Path,
    names: Iterable[str],
    out: Path,
    progress: Callable[[], None],
) -> None:
    """Label images; maps that are there are kept.

    Args:
        label_map_of: See :meth:`Labelling.label_map_of`.
        images: Folder of the images.
        names: Of the images, relative to it.
        out: Folder of the maps.
        progress: Called after each.
    """
    for name in names:
        target = (out / name).with_suffix('.png')
        if not target.exists():
            write_label_map(str(target), label_map_of(str(images / name)))
        progress()
