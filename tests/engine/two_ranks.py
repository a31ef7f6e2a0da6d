"""Runs on one, two and four ranks: `two_ranks.py <pairs> <folder>`.

Writes `rank_<n>_of_<m>.pth` into the folder. The ranks are forked from a
process that has imported everything, which takes longer than the runs.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.hooks import Hook

import fgsn_mmseg  # noqa: F401  before mmseg.models, which needs mmcv.ops

# isort: split
from tiny_runs import QuietRunner, make_runner, run_config, train

from fgsn_mmseg.engine import EquipartitionHook


class NoteSteps(Hook):
    """What every step is about to draw, and what the student gets to see."""

    priority = 'LOW'

    def __init__(self):
        self.draws, self.means = [], []

    def before_train(self, runner):
        def note(module, args):
            if torch.is_grad_enabled():
                self.means.append(args[0].mean((1, 2, 3)).tolist())

        runner.model.module.backbone.register_forward_pre_hook(note)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        state = torch.get_rng_state()
        self.draws.append(torch.rand(2).tolist())
        torch.set_rng_state(state)


OPTIONS = dict(
    whitening='correspondences', pair_means=True, classifier='fitted'
)
# The queue is full after two iterations.
LABELS = dict(
    balance=dict(type='SinkhornBalance', queue=80, rows=20),
    teacher_momentum=0.1,
)
# Four features an image: K = 6 exceeds what a rank of four has.
FEW = dict(features_per_image=4)
DDP = dict(
    type='MMDistributedDataParallel',
    device_ids=None,  # CPU
    broadcast_buffers=False,
)
# Nothing is drawn: one step of the same samples is the same step.
STEP = dict(dropout=0.0, fraction_reference=None)


def run(
    pairs: str, folder: Path, diff_rank_seed: bool, further=(), **kwargs
) -> dict:
    """Three iterations; what is to be compared between the ranks."""
    note = NoteSteps()
    runner = make_runner(
        pairs,
        folder / f'run_{diff_rank_seed}{"_options" if kwargs else ""}',
        max_iters=3,
        launcher='pytorch',
        hooks=[note, *further],
        randomness=dict(seed=0, diff_rank_seed=diff_rank_seed),
        model_wrapper_cfg=DDP,
        **kwargs,
    )
    runner.train()
    return dict(
        state_dict=runner.model.module.state_dict(),
        draws=note.draws,
        means=note.means,
        wrapper=type(runner.model).__name__,
    )


def step(pairs: str, work_dir: Path, num_ranks: int) -> dict:
    """Parameters after one iteration of two pairs on all ranks together."""
    config = run_config(pairs, work_dir, max_iters=1, model=dict(STEP))
    config.train_dataloader.batch_size = 2 // num_ranks
    # They move by their gradients.
    config.optim_wrapper.optimizer = dict(type='SGD', lr=1.0)
    if num_ranks > 1:
        config.update(launcher='pytorch', model_wrapper_cfg=DDP)
    runner = QuietRunner.from_cfg(config)
    runner.train()
    model = getattr(runner.model, 'module', runner.model)
    return {name: p.detach() for name, p in model.named_parameters()}


def cluster(pairs: str, work_dir: Path, num_images: int, **kwargs) -> str:
    """One clustering of the first images; the error with which it ended."""
    config = run_config(pairs, work_dir, max_iters=1, **kwargs)
    loader = config.custom_hooks[0].dataloader
    loader.dataset.indices = num_images
    if dist.is_initialized():
        config.update(launcher='pytorch', model_wrapper_cfg=DDP)
    try:
        QuietRunner.from_cfg(config).train()
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return ''


def without_image(pairs: str, folder: Path) -> str:
    """The pairs without the photo that the second rank reads first."""
    copy = shutil.copytree(pairs, folder / 'broken', dirs_exist_ok=True)
    (copy / 'images/s/ref/1.png').write_bytes(b'')
    return str(copy)


def run_rank(rank: int, size: int, port: int, pairs: str, folder: Path):
    """All runs on one rank, in the environment that torchrun makes."""
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(size),
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    dist.init_process_group('gloo')
    results: dict = {}
    if size == 2:
        results['runs'] = [run(pairs, folder, one) for one in (False, True)]
        results['runs'].append(
            run(
                pairs,
                folder,
                False,
                [EquipartitionHook()],
                hook=OPTIONS,
                model=dict(LABELS),
            )
        )
        results['step'] = step(pairs, folder / 'step_2', 2)
        results['failure'] = cluster(
            str(folder / 'broken'), folder / 'failed', 5
        )
    for images in (5, 3):
        results[images] = cluster(
            pairs, folder / f'images_{images}_ranks_{size}', images, hook=FEW
        )
    torch.save(results, folder / f'rank_{rank}_of_{size}.pth')
    dist.destroy_process_group()


def run_alone(pairs: str, folder: Path) -> None:
    """What one process makes of the same."""
    train(pairs, folder / 'alone', max_iters=1)
    train(pairs, folder / 'alone_options', max_iters=1, hook=OPTIONS)
    for images in (5, 3):
        cluster(pairs, folder / f'images_{images}_ranks_1', images, hook=FEW)
    torch.save(step(pairs, folder / 'step_1', 1), folder / 'step_1.pth')


def main() -> None:
    pairs, folder = sys.argv[1], Path(sys.argv[2])
    without_image(pairs, folder)
    alone = mp.get_context('fork').Process(
        target=run_alone, args=(pairs, folder)
    )
    alone.start()
    alone.join()
    for size in (2, 4):
        with socket.socket() as one:
            one.bind(('127.0.0.1', 0))
            port = one.getsockname()[1]
        mp.start_processes(
            run_rank,
            (size, port, pairs, folder),
            nprocs=size,
            start_method='fork',
        )


if __name__ == '__main__':
    main()
