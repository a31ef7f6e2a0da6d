"""Labels of Mapillary Vistas v1 -> train ids of Cityscapes."""

from __future__ import annotations

import os
import os.path as osp
from multiprocessing import Pool

import mmengine
import numpy as np
from PIL import Image

from ..files import whole_file
from .image_file import is_own_file
from .label_ids import NUM_VISTAS_LABELS, vistas_train_ids

SUFFIX = '_labelTrainIds.png'


def convert_label_map(labels: np.ndarray) -> np.ndarray:
    """Turn one label map of Vistas v1 into train ids.

    Args:
        labels (np.ndarray): (H, W) uint8, label ids of Vistas v1, 0..65.

    Returns:
        np.ndarray: (H, W) uint8, 0..18, or 255 where there is no class.

    Raises:
        ValueError: The map is not 8-bit with one channel, or holds an id that
            Vistas v1 does not have.
    """
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ValueError(
            'A label map of Vistas should be (H, W) uint8, but got '
            f'{labels.shape} {labels.dtype}. Use the folder `labels`, not '
            '`instances` or `panoptic`.'
        )
    if labels.size and labels.max() >= NUM_VISTAS_LABELS:
        raise ValueError(
            f'Labels of Vistas v1 should be 0..{NUM_VISTAS_LABELS - 1}, but '
            f'got {labels.max()}. Use the labels of v1.2, not v2.0.'
        )
    return vistas_train_ids()[labels]


def convert_file(source: str, target: str) -> None:
    """Convert one PNG; the target appears whole or not at all.

    Args:
        source (str): Palette PNG of Vistas v1.
        target (str): PNG of train ids to write; folders are made.

    Raises:
        ValueError: ``source`` is no readable label map of Vistas v1.
    """
    try:
        # Of a palette PNG this gives the indices, not the colours.
        with Image.open(source) as image:
            labels = np.asarray(image)
        train_ids = convert_label_map(labels)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f'{source}: {error}') from error
    with whole_file(target) as part:
        Image.fromarray(train_ids).save(part, format='PNG')


def find_label_maps(
    root: str, split: str, out_dir: str | None = None
) -> list[tuple[str, str]]:
    """List the label maps of one split and where their train ids go.

    Args:
        root (str): Root of Vistas, with ``<split>/labels/*.png`` or, as the
            later downloads have it, ``<split>/v1.2/labels/*.png``.
        split (str): 'training' or 'validation'.
        out_dir (str, optional): Root of the tree to write. Defaults to None,
            which is ``root``.

    Returns:
        list[tuple[str, str]]: Source and target of each, sorted by name.
        Targets are ``<split>/labels/<name>_labelTrainIds.png`` in either
        layout, which is where ``VistasCityscapesDataset`` looks.

    Raises:
        FileNotFoundError: Neither folder exists, or it holds no PNG.
    """
    for folder in ('labels', osp.join('v1.2', 'labels')):
        source = osp.join(root, split, folder)
        names = sorted(os.listdir(source)) if osp.isdir(source) else []
        names = [
            n
            for n in names
            if n.endswith('.png') and SUFFIX not in n and is_own_file(n)
        ]
        if names:
            break
    else:
        raise FileNotFoundError(
            f'`root` should hold label maps in {split}/labels/*.png, but got '
            f'{root!r} without. Unpack Mapillary Vistas v1 from '
            'https://www.mapillary.com/dataset/vistas there.'
        )
    target = osp.join(out_dir or root, split, 'labels')
    return [
        (osp.join(source, n), osp.join(target, n[: -len('.png')] + SUFFIX))
        for n in names
    ]


def convert_vistas(
    root: str,
    split: str,
    out_dir: str | None = None,
    nproc: int = 4,
    overwrite: bool = False,
) -> tuple[int, int]:
    """Convert the labels of one split; what is already there is kept.

    Args:
        root (str): Root of Mapillary Vistas v1.
        split (str): 'training' or 'validation'.
        out_dir (str, optional): Root of the tree to write. Defaults to None,
            which is ``root``.
        nproc (int): Number of processes. Defaults to 4.
        overwrite (bool): Convert again what is there. Defaults to False.

    Returns:
        tuple[int, int]: Number of label maps written now, and in all.
    """
    if nproc < 1:
        raise ValueError(f'`nproc` should be at least 1, but got {nproc}.')
    jobs = find_label_maps(root, split, out_dir)
    todo = [j for j in jobs if overwrite or not osp.isfile(j[1])]
    if todo:
        bar = mmengine.ProgressBar(len(todo))
        with Pool(min(nproc, len(todo))) as pool:
            for _ in pool.imap_unordered(_convert_job, todo, chunksize=8):
                bar.update()
        bar.file.write('\n')
    return len(todo), len(jobs)


def _convert_job(job: tuple[str, str]) -> None:
    convert_file(*job)
