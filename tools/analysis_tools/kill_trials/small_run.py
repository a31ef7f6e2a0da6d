"""A training of seconds with all that a long one has."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from mmengine import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from benchmarks.networks import TINY

MAX_ITERS = 12
CLUSTER_INTERVAL = 4
# Published configs save and validate at the same iterations.
SAVE_INTERVAL = 3
SIZE = (57, 81)  # (height, width) of the photos
CROP = (41, 57)
START, CLUSTERING, STEP, SAVING, VALIDATION = (
    'start',
    'clustering',
    'training step',
    'saving',
    'validation',
)


def small_config(root: Path, work_dir: Path, num_workers: int) -> Config:
    """Config of the run.

    Args:
        root: Pairs in the published layout.
        work_dir: Folder of the run.
        num_workers: Of the training loader.
    """
    model: dict[str, Any] = copy.deepcopy(TINY)
    model.update(num_clusters=6, pca_dim=5)
    model['decode_head'].update(dropout_ratio=0.1)
    pack = dict(type='PackPairInputs')
    load = [dict(type='LoadCorrespondences'), dict(type='LoadImagePair')]
    augment = [
        dict(type='RandomFlipPair', prob=0.5),
        dict(type='RandomCropPair', crop_size=CROP),
    ]
    pairs = dict(
        type='CorrespondenceDataset',
        data_root=str(root),
        serialize_data=False,  # takes a second
        pipeline=[*load, *augment, pack],
    )
    reference = dict(
        type='ReferenceImageDataset',
        data_root=str(root),
        serialize_data=False,
        pipeline=[load[1], pack],
    )
    in_order = dict(type='DefaultSampler', shuffle=False)
    config = dict(
        default_scope='mmseg',
        work_dir=str(work_dir),
        experiment_name='small',
        model=model,
        train_dataloader=dict(
            batch_size=2,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            sampler=dict(type='InfiniteSampler', shuffle=True),
            dataset=pairs,
        ),
        train_cfg=dict(
            type='ResumableIterBasedTrainLoop',
            max_iters=MAX_ITERS,
            val_interval=SAVE_INTERVAL,
        ),
        val_dataloader=dict(
            batch_size=1,
            num_workers=0,
            sampler=in_order,
            dataset={**pairs, 'pipeline': [*load, pack], 'indices': 4},
        ),
        val_cfg=dict(type='ValLoop'),
        val_evaluator=dict(type='CorrespondenceMetric'),
        optim_wrapper=dict(
            type='OptimWrapper',
            optimizer=dict(type='SGD', lr=0.05, momentum=0.9),
        ),
        param_scheduler=[
            dict(type='PolyLR', power=1.0, end=MAX_ITERS, by_epoch=False)
        ],
        default_hooks=dict(
            logger=dict(
                type='LoggerHook', interval=1, log_metric_by_epoch=False
            ),
            checkpoint=dict(
                type='AtomicCheckpointHook',
                by_epoch=False,
                interval=SAVE_INTERVAL,
                max_keep_ckpts=1,
                save_best='match_bits',
                rule='greater',
            ),
        ),
        custom_hooks=[
            dict(
                type='ClusteringHook',
                interval=CLUSTER_INTERVAL,
                features_per_image=100,
                dataloader=dict(dataset=reference),
            )
        ],
        log_processor=dict(by_epoch=False, window_size=5),
        randomness=dict(seed=0),
        log_level='ERROR',
    )
    return Config(config, format_python_code=False)  # it takes a second


class Announce(Hook):
    """Tells another process what the run is about to do, a line each.

    Args:
        pipe: File descriptor to write to.
        first: Whether this hook comes before all others, or after them.
    """

    def __init__(self, pipe: int, first: bool) -> None:
        self.pipe = pipe
        self.first = first
        self.priority = 'VERY_HIGH' if first else 'LOWEST'

    def _say(self, what: str) -> None:
        os.write(self.pipe, f'{what}\n'.encode())

    def before_run(self, runner: Any) -> None:
        """Say that the run starts."""
        if self.first:
            self._say(START)

    def before_train_iter(self, runner: Any, *args: Any, **kw: Any) -> None:
        """Say that labels are made, and that they are."""
        due = runner.iter % CLUSTER_INTERVAL == 0
        if not self.first or due:
            self._say(CLUSTERING if self.first else STEP)

    def before_save_checkpoint(self, runner: Any, checkpoint: Any) -> None:
        """Say that a file comes next."""
        if not self.first:
            self._say(SAVING)

    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        """Say that nothing is written any more."""
        if not self.first:
            self._say(STEP)

    def before_val(self, runner: Any) -> None:
        """Say that a validation begins."""
        if self.first:
            self._say(VALIDATION)

    def after_val(self, runner: Any) -> None:
        """Say that it is over."""
        if not self.first:
            self._say(STEP)


class _QuietRunner(Runner):
    """Does not ask for the versions of all compilers: it takes a second."""

    def _log_env(self, env_cfg: dict) -> None:
        pass


def train(config: Config, pipe: int) -> None:
    """Train, or go on, and tell about it through a pipe."""
    config.resume = True  # from nothing: begin
    runner = _QuietRunner.from_cfg(config)
    for first in (True, False):
        runner.register_hook(Announce(pipe, first))
    runner.train()
