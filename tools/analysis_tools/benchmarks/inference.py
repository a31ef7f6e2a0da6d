"""Labelling one image: our way and mmseg's, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from mmseg.structures import SegDataSample
from prettytable import PrettyTable

from . import networks
from .measuring import MeasuredProcess, new_table

WAYS = {'FGSN': networks.build, 'mmseg': networks.build_plain}


def benchmark_inference(
    config: str | None = None,
    clusters: Sequence[int] = (19, 100, 1000, 10000),
    mmseg_limit: int = 1000,
    size: tuple[int, int] = (1024, 1365),
    crop: tuple[int, int] = (713, 713),
    stride: tuple[int, int] = (476, 476),
    seconds: float = 5,
    device: str = 'cpu',
) -> PrettyTable:
    """Seconds and memory of one image by windows, to the label map.

    Every network is in a process of its own. Those of one K take turns; of
    different K they do not, so that no more than two hold memory.

    Args:
        config: See :func:`networks.load_config`. None: a tiny network, so
            that all but the network counts.
        clusters: Every K.
        mmseg_limit: Largest K that mmseg's way is asked for; it needs 12 GB
            for 1,000.
        size: (height, width).
        crop: Window.
        stride: Of the windows.
        seconds: See :func:`take_turns`.
        device: 'cpu' or 'cuda'.

    Returns:
        A row for each K; columns for both ways. Memory is the peak above
        what network and image hold.
    """
    settings = networks.load_config(config)
    table = new_table(
        f'Inference: {config or "a tiny network"}, {size[0]} x {size[1]}, '
        f'windows of {crop[0]} x {crop[1]}',
        *('K', 'FGSN (s)', 'mmseg (s)', 'FGSN (MB)', 'mmseg (MB)'),
    )
    for number in clusters:
        model = networks.model_config(settings, number)
        model.test_cfg = dict(mode='slide', crop_size=crop, stride=stride)
        found: dict[str, tuple] = dict.fromkeys(WAYS, (None, None))
        ways = list(WAYS)[: 2 if number <= mmseg_limit else 1]
        with ExitStack() as stack:
            calls = {
                way: stack.enter_context(
                    MeasuredProcess(_prepare, way, model, size, device)
                )
                for way in ways
            }
            turns = [calls[way](seconds / 2) for way in ways]
            again = [calls[way](seconds / 2) for way in ways[::-1]][::-1]
        for way, first, second in zip(ways, turns, again):
            mean = (first[0] + second[0]) / 2
            found[way] = (mean, max(first[1], second[1]))
        figures = zip(*(found[way] for way in WAYS))
        table.add_row([number, *(value for pair in figures for value in pair)])
    return table


def _prepare(
    way: str, model: dict, size: tuple[int, int], device: str
) -> Callable[[], Any]:
    """A function that labels one image."""
    network = WAYS[way](model, device).eval()
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, *size, generator=generator).to(device)
    meta = dict(ori_shape=size, img_shape=size, pad_shape=size)

    def predict() -> Any:
        with torch.inference_mode():
            return network.predict(image, [SegDataSample(metainfo=meta)])

    return predict
