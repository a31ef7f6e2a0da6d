"""A training iteration, its parts, and what cannot be left out of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from mmengine.runner import Runner
from prettytable import PrettyTable

from . import networks
from .loader import pair_set
from .measuring import MeasuredProcess, Stopwatch, new_table, take_turns
from .training_steps import TrainingSteps

ITERATION = 'iteration'
WITH_LOADER = 'iteration, the loader running'
IRREDUCIBLE = 'irreducible: teacher, one image forward and backward'
PARTS = (
    'data',
    'teacher',
    'assignment',
    'student',
    'losses',
    'backward',
    'step',
    'rest',
)


def benchmark_training(
    config: str | None = None,
    num_clusters: int = 100,
    crop: tuple[int, int] = (256, 256),
    seconds: float = 10,
    device: str = 'cpu',
    precision: str = 'fp32',
    options: dict | None = None,
    data_root: str | None = None,
    clock: Callable[[], float] | None = None,
) -> PrettyTable:
    """Seconds and peak memory of an iteration of one pair.

    The irreducible part is what no method of this kind can do without: the
    teacher's features of the reference, and forward and backward pass of one
    image through mmseg's own network with K classes, auxiliary heads
    included, without any loss.

    Args:
        config: See :func:`networks.load_config`.
        num_clusters: K.
        crop: (height, width).
        seconds: How long each is measured, see :func:`take_turns`.
        device: 'cpu' or 'cuda'.
        precision: 'fp32', or 'bf16' by autocast.
        options: Further keys of the FGSN, such as ``teacher_dtype``.
        data_root: Set of pairs. None: made up.
        clock: See :func:`take_turns`.

    Returns:
        Rows for ``ITERATION``, ``IRREDUCIBLE``, ``WITH_LOADER`` and each of
        ``PARTS``.
    """
    settings = networks.load_config(config)
    model_config = networks.model_config(settings, num_clusters)
    model_config.update(options or {})
    optim_config = settings.get('optim_wrapper')
    arguments = (model_config, optim_config, crop, device, precision)
    steps = TrainingSteps(*arguments)
    with pair_set(data_root) as root:
        batches = iter(_loader(root, crop))
        found = take_turns(
            {
                ITERATION: steps.iteration,
                IRREDUCIBLE: steps.irreducible,
                WITH_LOADER: lambda: steps.iteration(next(batches)),
            },
            seconds,
            clock,
        )
        parts = _parts(steps, batches, seconds, Stopwatch(device, clock))
        batches = None  # ends the worker
    table = new_table(
        f'Training: {config or "a tiny network"}, K = {num_clusters}, '
        f'{crop[0]} x {crop[1]}, {precision}',
        *('what', 'seconds', 'times the irreducible', 'peak memory (MB)'),
    )
    for name, value in {**found, **parts}.items():
        peak = None
        if name in (ITERATION, IRREDUCIBLE):
            with MeasuredProcess(
                _prepare, name, *arguments, device=device
            ) as call:
                call()  # the optimizer gets its state
                peak = call()[1]
        table.add_row([name, value, value / found[IRREDUCIBLE], peak])
    return table


def _parts(
    steps: TrainingSteps, batches: Any, seconds: float, watch: Stopwatch
) -> dict[str, float]:
    """Median seconds of the parts of an iteration with data loading."""
    model, optimizer = steps.model, steps.optimizer
    turns: list[dict[str, float]] = []
    start = time.monotonic()
    with watch.watching(
        (model.data_preprocessor, 'forward', 'data'),
        (model.teacher, 'forward', 'teacher'),
        (model.codebook, 'assign_map', 'assignment'),
        (model, 'run_heads', 'student'),
        (model, 'loss', 'losses'),
        (optimizer, 'backward', 'backward'),
        (optimizer, 'step', 'step'),
        (optimizer, 'zero_grad', 'step'),
    ):
        while not turns or time.monotonic() - start < seconds:
            watch.seconds.clear()
            with watch.part('data'):
                batch = next(batches)
            with watch.part('rest'):
                steps.iteration(batch)
            turns.append(dict(watch.seconds))
    return {
        name: median(turn.get(name, 0.0) for turn in turns) for name in PARTS
    }


def _prepare(name: str, *arguments: Any) -> Callable[[], None]:
    steps = TrainingSteps(*arguments)
    return steps.iteration if name == ITERATION else steps.irreducible


def _loader(root: str, crop: tuple[int, int]) -> Any:
    """The loader of a training, with one worker that lives on."""
    # The paper's proportion of crop and image.
    short_side = round(max(crop) * 1024 / 713)
    return Runner.build_dataloader(
        dict(
            batch_size=1,
            num_workers=1,
            persistent_workers=True,
            sampler=dict(type='InfiniteSampler', shuffle=True),
            dataset=dict(
                type='CorrespondenceDataset',
                data_root=root,
                pipeline=[
                    dict(type='LoadCorrespondences'),
                    dict(type='LoadImagePair'),
                    dict(
                        type='ResizeCropPair',
                        short_side=short_side,
                        crop_size=crop,
                    ),
                    dict(type='PackPairInputs'),
                ],
            ),
        ),
        seed=0,
    )
