"""How many pairs a second a core can load; made-up pairs to read."""

from __future__ import annotations

import os.path as osp
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import mmengine
import numpy as np
import torch
from mmengine.registry import init_default_scope
from prettytable import PrettyTable

from fgsn_mmseg.datasets import CorrespondenceDataset, write_pair_file
from fgsn_mmseg.engine.seeding import scoped_seed

from .measuring import new_table, take_turns

PLAIN = 'PIL by mmcv, whole images resized, then cropped'
TWO_STEPS = 'ResizePair, RandomCropPair'
FUSED = 'ResizeCropPair'


def benchmark_loader(
    data_root: str | None = None,
    short_side: int = 1024,
    crop: tuple = (713, 713),
    seconds: float = 10,
    pairs: int = 16,
) -> PrettyTable:
    """Pairs per second and core by our pipeline and by a plain one.

    One thread of one process; its processor time counts, so that others who
    use the machine hardly matter.

    Args:
        data_root: Set of pairs, see :class:`CorrespondenceDataset`. None:
            made up.
        short_side: Images are resized to it.
        crop: (height, width).
        seconds: See :func:`take_turns`.
        pairs: Number of pairs at most.

    Returns:
        Rows for ``PLAIN``, ``TWO_STEPS`` and ``FUSED``.
    """
    init_default_scope('mmseg')
    resize = dict(type='ResizePair', short_side=short_side)
    cut = dict(type='RandomCropPair', crop_size=crop)
    fused = dict(type='ResizeCropPair', short_side=short_side, crop_size=crop)
    read = dict(type='LoadImagePair')
    plain = dict(read, imdecode_backend='pillow', color_type='color')
    steps: dict[str, list] = {
        PLAIN: [plain, dict(resize, backend='pillow'), cut],
        TWO_STEPS: [read, resize, cut],
        FUSED: [read, fused],
    }
    first: dict = dict(type='LoadCorrespondences')
    last: dict = dict(type='PackPairInputs')
    threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        with pair_set(data_root) as root:
            sets = {
                name: CorrespondenceDataset(
                    data_root=root, pipeline=[first, *middle, last]
                )
                for name, middle in steps.items()
            }
            count = min(len(sets[PLAIN]), pairs)
            calls = {
                name: partial(_read_all, one, count)
                for name, one in sets.items()
            }
            found = take_turns(calls, seconds, time.process_time)
            differences = _differences(sets, count)
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])
    table = new_table(
        f'Loader: short side {short_side}, crop {crop[0]} x {crop[1]}',
        'way',
        'pairs per second and core',
        'times the first',
        'mean difference (grey levels)',
    )
    for name, value in found.items():
        table.add_row(
            [name, count / value, found[PLAIN] / value, differences[name]]
        )
    return table


def _read_all(dataset: CorrespondenceDataset, count: int) -> None:
    for index in range(count):
        _sample(dataset, index)


def _sample(dataset: CorrespondenceDataset, index: int) -> dict[str, Any]:
    """A sample with the same random draws for every pipeline."""
    with scoped_seed(index):
        return dataset[index]


def _differences(
    sets: dict[str, CorrespondenceDataset], count: int
) -> dict[str, float]:
    """Mean absolute difference of the pixels from the plain way's."""
    values: dict[str, list[float]] = {name: [] for name in sets}
    for index in range(count):
        expected = _sample(sets[PLAIN], index)['inputs']
        for name, dataset in sets.items():
            got = _sample(dataset, index)['inputs']
            values[name] += [
                (got[key].float() - expected[key]).abs().mean().item()
                for key in ('img', 'img2')
            ]
    return {name: float(np.mean(value)) for name, value in values.items()}


SIZE = (768, 1024)  # of CMU's photos
NUM_PAIRS = 8
NUM_POINTS = 500


@contextmanager
def pair_set(
    data_root: str | None, size: tuple[int, int] = SIZE
) -> Iterator[str]:
    """A set of pairs to read from.

    Args:
        data_root (str, optional): A set that is there. None: one is made up
            and removed afterwards.
        size (tuple[int]): (height, width) of made-up photos.

    Yields:
        str: Its root.
    """
    if data_root is not None:
        yield data_root
        return
    with TemporaryDirectory() as folder:
        make_pairs(folder, size)
        yield folder


def make_pairs(root: str, size: tuple[int, int]) -> None:
    """Write JPEGs and correspondences at random places."""
    rng = np.random.default_rng(0)
    mmengine.mkdir_or_exist(osp.join(root, 'images', 'a', 'b'))
    for index in range(NUM_PAIRS):
        names = [f'a/b/{index}_{side}.jpg' for side in 'ij']
        for name in names:
            cv2.imwrite(osp.join(root, 'images', name), _photo(rng, size))
        write_pair_file(
            osp.join(root, 'correspondence_data', f'{index}.mat'),
            dict(
                img_path=names[0],
                img_path2=names[1],
                points=rng.uniform(0, size[::-1], (NUM_POINTS, 2)),
                points2=rng.uniform(0, size[::-1], (NUM_POINTS, 2)),
                dist_from_center=rng.uniform(0, 2, NUM_POINTS),
            ),
        )


def _photo(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Noise at all scales: about as long to decode as a photo."""
    image = np.full((*size, 3), 128.0, np.float32)
    for divisor, contrast in ((256, 50), (64, 30), (16, 15), (4, 8)):
        shape = [max(length // divisor, 2) for length in size]
        noise = rng.normal(0, contrast, (*shape, 3)).astype(np.float32)
        image += cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)
