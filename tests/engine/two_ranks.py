"""One run alone and two on two ranks: `two_ranks.py <pairs> <folder>`.

Writes `rank_<n>.pth` into the folder. The ranks are forked from a process
that has imported everything, which takes longer than the runs.
"""

from __future__ import annotations

import os
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
from tiny_runs import make_runner, train


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


def run(pairs: str, folder: Path, diff_rank_seed: bool) -> dict:
    """Three iterations; what is to be compared between the ranks."""
    note = NoteSteps()
    runner = make_runner(
        pairs,
        folder / f'run_{diff_rank_seed}',
        max_iters=3,
        launcher='pytorch',
        hooks=[note],
        randomness=dict(seed=0, diff_rank_seed=diff_rank_seed),
        model_wrapper_cfg=dict(
            type='MMDistributedDataParallel',
            device_ids=None,  # CPU
            broadcast_buffers=False,
        ),
    )
    runner.train()
    return dict(
        state_dict=runner.model.module.state_dict(),
        draws=note.draws,
        means=note.means,
        wrapper=type(runner.model).__name__,
    )


def run_rank(rank: int, port: int, pairs: str, folder: Path) -> None:
    """Both runs on one rank, in the environment that torchrun makes."""
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    dist.init_process_group('gloo')
    results = [run(pairs, folder, option) for option in (False, True)]
    torch.save(results, folder / f'rank_{rank}.pth')
    dist.destroy_process_group()


def main() -> None:
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        port = one.getsockname()[1]
    pairs, folder = sys.argv[1], Path(sys.argv[2])
    alone = mp.get_context('fork').Process(
        target=train, args=(pairs, folder / 'alone'), kwargs=dict(max_iters=1)
    )
    alone.start()
    alone.join()
    mp.start_processes(
        run_rank, (port, pairs, folder), nprocs=2, start_method='fork'
    )


if __name__ == '__main__':
    main()
