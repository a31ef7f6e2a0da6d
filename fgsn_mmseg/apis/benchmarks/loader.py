"""How many pairs a second a core can load."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.registry import init_default_scope
from PIL import Image

from fgsn_mmseg.datasets import CorrespondenceDataset, ResizePair
from fgsn_mmseg.engine.seeding import scoped_seed

from .pictures import pair_set
from .stopwatch import Stopwatch, interleaved
from .table import Table

PLAIN = 'PIL, whole images resized, then cropped'
TWO_STEPS = 'ResizePair, RandomCropPair'
FUSED = 'ResizeCropPair'


class PlainLoading(BaseTransform):
    """Open with PIL and resize whole images with it: what one writes first.

    Args:
        short_side (int): Length of the short side afterwards.
    """

    def __init__(self, short_side: int) -> None:
        self.resize = _ResizeByPIL(short_side)

    def transform(self, results: dict) -> dict:
        """Add the images, resized."""
        for suffix in ('', '2'):
            with Image.open(results[f'img_path{suffix}']) as image:
                results[f'img{suffix}'] = image.convert('RGB')
            # Of an array: (height, width).
            shape = results[f'img{suffix}'].size[::-1]
            results[f'img{suffix}'] = _Opened(results[f'img{suffix}'])
            results[f'ori_shape{suffix}'] = shape
        return self.resize.transform(results)


class _Opened:
    """A PIL image with the shape of an array."""

    def __init__(self, image: Any) -> None:
        self.image = image
        self.shape = (*image.size[::-1], 3)


class _ResizeByPIL(ResizePair):
    def _resize(self, img: Any, size: tuple) -> np.ndarray:
        resized = img.image.resize(size[::-1], Image.Resampling.BILINEAR)
        return np.asarray(resized)[..., ::-1]


def benchmark_loader(
    data_root: str | None = None,
    short_side: int = 1024,
    crop: tuple = (713, 713),
    repeats: int = 5,
    pairs: int = 16,
) -> Table:
    """Pairs per second and core by our pipeline and by a plain one.

    One thread of one process; its processor time counts, so that others who
    use the machine hardly matter.

    Args:
        data_root (str, optional): Set of pairs, see
            :class:`CorrespondenceDataset`. Defaults to None: a made-up one.
        short_side (int): Images are resized to it. Defaults to 1024.
        crop (tuple[int]): (height, width). Defaults to (713, 713).
        repeats (int): Turns through the pairs. Defaults to 5.
        pairs (int): Number of pairs at most. Defaults to 16.

    Returns:
        Table: Rows for ``PLAIN``, ``TWO_STEPS`` and ``FUSED``.
    """
    init_default_scope('mmseg')
    first: dict = dict(type='LoadCorrespondences')
    last: dict = dict(type='PackPairInputs')
    read = dict(type='LoadImagePair')
    resize = dict(type='ResizePair', short_side=short_side)
    cut = dict(type='RandomCropPair', crop_size=crop)
    fused = dict(type='ResizeCropPair', short_side=short_side, crop_size=crop)
    steps: dict[str, list] = {
        PLAIN: [PlainLoading(short_side), cut],
        TWO_STEPS: [read, resize, cut],
        FUSED: [read, fused],
    }
    threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        with pair_set(data_root) as root:
            sets = {
                name: CorrespondenceDataset(
                    data_root=root,
                    pipeline=[first, *middle, last],
                )
                for name, middle in steps.items()
            }
            count = min(len(sets[PLAIN]), pairs)
            seconds = interleaved(
                {name: _reader(sets[name], count) for name in sets},
                repeats,
                Stopwatch(processor=True),
            )
            differences = _differences(sets, count)
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])
    table = Table(
        f'Loader: short side {short_side}, crop {crop[0]} x {crop[1]}',
        [
            'way',
            'pairs per second and core',
            'times the first',
            'mean difference (grey levels)',
        ],
    )
    for name, value in seconds.items():
        table.rows.append(
            [name, count / value, seconds[PLAIN] / value, differences[name]]
        )
    return table


def _reader(dataset: CorrespondenceDataset, count: int) -> Any:
    return lambda: [_sample(dataset, index) for index in range(count)]


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
