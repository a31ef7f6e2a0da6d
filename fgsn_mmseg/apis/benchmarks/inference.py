"""Labelling one image: our way and mmseg's, side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from mmseg.structures import SegDataSample

from . import networks
from .peak_memory import MeasuredProcess
from .table import Table

OURS = 'FGSN'
MMSEG = 'mmseg'


def benchmark_inference(
    config: str | None = None,
    clusters: Sequence[int] = (19, 100, 1000, 10000),
    mmseg_limit: int = 1000,
    size: tuple[int, int] = (1024, 1365),
    crop: tuple[int, int] = (713, 713),
    stride: tuple[int, int] = (476, 476),
    repeats: int = 3,
    device: str = 'cpu',
    options: dict | None = None,
) -> Table:
    """Seconds and memory of one image by windows, to the label map.

    Every network is in a process of its own. Those of one K take turns; of
    different K they do not, so that no more than two hold memory.

    Args:
        config (str, optional): See :func:`networks.load_config`. Defaults to
            None: a tiny network, so that all but the network counts.
        clusters (Sequence[int]): Every K. Defaults to 19 ... 10,000.
        mmseg_limit (int): Largest K that mmseg's way is asked for; it needs
            12 GB for 1,000. Defaults to 1000.
        size (tuple[int]): (height, width). Defaults to (1024, 1365).
        crop (tuple[int]): Window. Defaults to (713, 713).
        stride (tuple[int]): Of the windows. Defaults to (476, 476).
        repeats (int): Turns. Defaults to 3.
        device (str): 'cpu' or 'cuda'. Defaults to 'cpu'.
        options (dict, optional): Further keys of ``test_cfg``. Defaults to
            None.

    Returns:
        Table: A row for each K; columns for both ways.
    """
    settings = networks.load_config(config)
    table = Table(
        f'Inference: {config or "a tiny network"}, {size[0]} x {size[1]}, '
        f'windows of {crop[0]} x {crop[1]}',
        [
            'K',
            f'{OURS} (s)',
            f'{MMSEG} (s)',
            f'{OURS} (MB)',
            f'{MMSEG} (MB)',
        ],
        notes=['Memory is the peak above what the network and image hold.'],
    )
    test_cfg = dict(options or {}, mode='slide', crop_size=crop, stride=stride)
    for num_clusters in clusters:
        model_config = networks.model_config(settings, num_clusters)
        model_config.test_cfg = test_cfg
        ways = [OURS, MMSEG] if num_clusters <= mmseg_limit else [OURS]
        found = _take_turns(ways, model_config, size, repeats, device)
        table.rows.append(
            [
                num_clusters,
                *(found.get(way, [None])[0] for way in (OURS, MMSEG)),
                *(found.get(way, [None])[-1] for way in (OURS, MMSEG)),
            ]
        )
    return table


def _take_turns(
    ways: list[str],
    model_config: dict,
    size: tuple[int, int],
    repeats: int,
    device: str,
) -> dict[str, list[float | None]]:
    """Way -> [median seconds, peak megabytes]."""
    processes = {
        way: MeasuredProcess(
            _prepare, way, model_config, size, device, device=device
        )
        for way in ways
    }
    measured: dict[str, list] = {way: [] for way in ways}
    try:
        for _ in range(repeats + 1):
            for way, process in processes.items():
                measured[way].append(process())
    finally:
        for process in processes.values():
            process.close()
    return {
        way: [
            # The first turn is a warm-up.
            median(seconds for seconds, _ in turns[1:]),
            max(extra for _, extra in turns) / 1e6,
        ]
        for way, turns in measured.items()
    }


def _prepare(
    way: str, model_config: dict, size: tuple[int, int], device: str
) -> Callable[[], Any]:
    """A function that labels one image."""
    build = networks.build_fgsn if way == OURS else networks.build_plain
    model_config = copy.deepcopy(model_config)
    model = build(model_config, device).eval()
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, *size, generator=generator).to(device)
    meta = dict(ori_shape=size, img_shape=size, pad_shape=size)

    def predict() -> Any:
        with torch.inference_mode():
            return model.predict(image, [SegDataSample(metainfo=dict(meta))])

    return predict
