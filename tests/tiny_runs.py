"""Runs of a few iterations on pairs of the size of a stamp."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path

import h5py
import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from pair_worlds import make_world
from tiny_fgsn import model_config

CROP = (57, 73)
# An odd number of reference images: ranks get different numbers of them.
PAIRS = [(f'p{i}.mat', f's/ref/{i}.png', f's/snow/{i}.png') for i in range(5)]


def make_pairs(root: Path, size=(73, 105), points=30, sizes=None) -> Path:
    """Five pairs of photos with `points` correspondences each.

    All of `size`, or in turn of `sizes`.
    """
    names = [name for name, _, _ in PAIRS]
    images = [path for pair in PAIRS for path in pair[1:]]
    make_world(
        root,
        PAIRS,
        sizes=dict(zip(images, cycle(sizes or [size]))),
        points=dict.fromkeys(names, points),
    )
    return root


def run_config(root, work_dir, max_iters=4, interval=2, hook=None, **kwargs):
    """Config of a run, as a user would write it.

    Args:
        root: Folder made by `make_pairs`.
        hook: Further arguments of the ClusteringHook.
        kwargs: `num_workers`, `transforms`, arguments of the model in
            `model`, and top-level keys of the config.
    """
    workers = kwargs.pop('num_workers', 0)
    load = [dict(type='LoadCorrespondences'), dict(type='LoadImagePair')]
    crop = dict(type='RandomCropPair', crop_size=CROP)
    extra = kwargs.pop('transforms', [])
    pipeline = [*load, *extra, crop, dict(type='PackPairInputs')]
    reference_pipeline = [load[1], dict(type='PackPairInputs')]
    model = dict(dropout=0.1, pca_dim=5)
    model.update(kwargs.pop('model', {}))
    config = dict(
        default_scope='mmseg',
        work_dir=str(work_dir),
        experiment_name=Path(work_dir).name,
        model=model_config(**model),
        train_dataloader=dict(
            batch_size=2,
            num_workers=workers,
            persistent_workers=workers > 0,
            sampler=dict(type='InfiniteSampler', shuffle=True),
            dataset=dict(
                type='CorrespondenceDataset',
                data_root=str(root),
                serialize_data=False,  # saves a second of gc.collect
                pipeline=pipeline,
            ),
        ),
        train_cfg=dict(
            type='ResumableIterBasedTrainLoop', max_iters=max_iters
        ),
        optim_wrapper=dict(
            type='OptimWrapper',
            optimizer=dict(
                type='SGD',
                lr=0.01,
                momentum=0.9,
                nesterov=True,
                weight_decay=1e-4,
            ),
        ),
        param_scheduler=[
            dict(type='PolyLR', power=1.0, end=max_iters, by_epoch=False)
        ],
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=3),
        ),
        custom_hooks=[
            dict(
                type='ClusteringHook',
                interval=interval,
                dataloader=dict(
                    dataset=dict(
                        type='ReferenceImageDataset',
                        data_root=str(root),
                        serialize_data=False,
                        pipeline=reference_pipeline,
                    )
                ),
                **(hook or {}),
            )
        ],
        log_processor=dict(by_epoch=False, window_size=1),
        randomness=dict(seed=0),
        log_level='ERROR',
    )
    config.update(kwargs)
    return Config(config, format_python_code=False)  # it takes a second


class QuietRunner(Runner):
    """A runner that does not ask for the versions of all compilers."""

    def _log_env(self, env_cfg):
        pass


def make_runner(*args, hooks=(), **kwargs) -> Runner:
    """A runner of the config made of the arguments, with further hooks."""
    runner = QuietRunner.from_cfg(run_config(*args, **kwargs))
    for hook in hooks:
        runner.register_hook(hook)
    return runner


def train(*args, **kwargs) -> Runner:
    """Run the config made of the arguments."""
    runner = make_runner(*args, **kwargs)
    runner.train()
    return runner


def clusterings(work_dir) -> dict:
    """Iteration -> content of the codebook file."""
    found = {}
    for path in Path(work_dir).glob('clustering_iter_*.h5'):
        with h5py.File(path) as file:
            number = int(path.stem.split('_')[-1])
            found[number] = {name: file[name][()] for name in file}
    return dict(sorted(found.items()))


def scalars(work_dir) -> list:
    """All lines that the run logged."""
    (path,) = Path(work_dir).glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_same_codebook(first: dict, second: dict) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])


def assert_same_state(first: dict, second: dict) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(
            value, second[name], rtol=0, atol=0, equal_nan=True, msg=name
        )
