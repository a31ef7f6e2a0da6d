"""A training iteration, its parts, and what cannot be left out of it."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from mmengine.runner import Runner

from . import networks
from .peak_memory import MeasuredProcess
from .pictures import pair_set
from .stopwatch import Stopwatch, interleaved
from .table import Table
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
    repeats: int = 5,
    device: str = 'cpu',
    precision: str = 'fp32',
    options: dict | None = None,
    data_root: str | None = None,
    processor: bool = False,
) -> Table:
    """Seconds and peak memory of an iteration of one pair.

    The irreducible part is what no method of this kind can do without: the
    teacher's features of the reference, and forward and backward pass of one
    image through mmseg's own network with K classes, auxiliary heads
    included, without any loss. All take turns.

    Args:
        config (str, optional): See :func:`networks.load_config`.
        num_clusters (int): K. Defaults to 100.
        crop (tuple[int]): (height, width). Defaults to (256, 256).
        repeats (int): Turns. Defaults to 5.
        device (str): 'cpu' or 'cuda'. Defaults to 'cpu'.
        precision (str): 'fp32', or 'bf16' by autocast. Defaults to 'fp32'.
        options (dict, optional): Further keys of the FGSN, such as
            ``teacher_dtype`` and ``channels_last``. Defaults to None.
        data_root (str, optional): Set of pairs. Defaults to None: made up.
        processor (bool): See :class:`Stopwatch`. Defaults to False.

    Returns:
        Table: Rows for ``ITERATION``, ``WITH_LOADER``, ``IRREDUCIBLE`` and
        each of ``PARTS``.
    """
    settings = networks.load_config(config)
    model_config = networks.model_config(settings, num_clusters)
    model_config.update(options or {})
    optim_config = settings.get('optim_wrapper')
    arguments = (model_config, optim_config, crop, device, precision)
    steps = TrainingSteps(*arguments)
    watch = Stopwatch(device, processor)
    with pair_set(data_root) as root:
        batches = iter(_loader(root, crop))
        calls: dict[str, Callable] = {
            ITERATION: steps.iteration,
            IRREDUCIBLE: steps.irreducible,
            WITH_LOADER: lambda: steps.iteration(next(batches)),
        }
        seconds = interleaved(calls, repeats, watch)
        parts = _parts(steps, batches, repeats, watch)
        batches = None  # ends the worker
    peaks = {
        name: _peak(name, arguments, device)
        for name in (ITERATION, IRREDUCIBLE)
    }
    table = Table(
        f'Training: {config or "a tiny network"}, K = {num_clusters}, '
        f'{crop[0]} x {crop[1]}, {precision}',
        ['what', 'seconds', 'times the irreducible', 'peak memory (MB)'],
    )
    for name in calls:
        ratio = seconds[name] / seconds[IRREDUCIBLE]
        table.rows.append([name, seconds[name], ratio, peaks.get(name)])
    for name in PARTS:
        value = parts[name]
        table.rows.append([name, value, value / seconds[IRREDUCIBLE], None])
    table.notes.append(
        'Memory is above what the networks hold. The parts were '
        'timed in iterations of their own, with the loader running.'
    )
    return table


def _parts(
    steps: TrainingSteps, batches: Any, repeats: int, watch: Stopwatch
) -> dict[str, float]:
    """Median seconds of the parts of an iteration with data loading."""
    model, optimizer = steps.model, steps.optimizer
    watched = (
        (model.data_preprocessor, 'forward', 'data'),
        (model.teacher, 'forward', 'teacher'),
        (model.codebook, 'assign_map', 'assignment'),
        (model, 'extract_feat', 'student'),
        (model, 'run_heads', 'student'),
        (model, 'loss', 'losses'),
        (optimizer, 'backward', 'backward'),
        (optimizer, 'step', 'step'),
        (optimizer, 'zero_grad', 'step'),
    )
    turns = []
    with watch.watching(*watched):
        for _ in range(repeats):
            watch.seconds.clear()
            with watch.part('data'):
                batch = next(batches)
            with watch.part('rest'):
                steps.iteration(batch)
            turns.append(dict(watch.seconds))
    return {
        name: median(turn.get(name, 0.0) for turn in turns) for name in PARTS
    }


def _peak(name: str, arguments: tuple, device: str) -> float:
    """Megabytes; of the second call, when the optimizer has its state."""
    with MeasuredProcess(_prepare, name, *arguments, device=device) as call:
        call()
        return call()[1] / 1e6


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
