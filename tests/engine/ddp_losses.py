"""Runs on two ranks: `ddp_losses.py <pairs> <folder>`.

Losses that give some parameters no gradient in some steps, without
`find_unused_parameters`; and running statistics that differ between the
ranks. Writes `rank_<n>.pth`.
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
from torch import nn

import fgsn_mmseg  # noqa: F401  before mmseg.models, which needs mmcv.ops

# isort: split
from tiny_runs import make_runner

RUNS = {
    'feature_loss_alone': dict(w_seg=0.0, w_corr=0.0, w_feat=1.0),
    'without_correspondences': dict(w_corr=0.0, w_feat=1.0),
    'without_dense_loss': dict(w_seg=0.0),
    'all': dict(w_feat=1.0),
}


class OtherStatistics(Hook):
    """Running statistics of each rank's own, as live BatchNorm leaves them."""

    def before_train(self, runner):
        for module in runner.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.add_(0.1 * dist.get_rank())


def run(name: str, pairs: str, folder: Path) -> dict:
    """Four iterations, with references and targets among them."""
    runner = make_runner(
        pairs,
        folder / name,
        launcher='pytorch',
        model=RUNS[name],
        model_wrapper_cfg=dict(
            type='MMDistributedDataParallel',
            device_ids=None,  # CPU
            broadcast_buffers=False,
        ),
    )
    runner.register_hook(OtherStatistics())
    runner.train()
    return runner.model.module.state_dict()


def run_rank(rank: int, port: int, pairs: str, folder: Path) -> None:
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    dist.init_process_group('gloo')
    results = {name: run(name, pairs, folder) for name in RUNS}
    torch.save(results, folder / f'rank_{rank}.pth')
    dist.destroy_process_group()


def main() -> None:
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        port = one.getsockname()[1]
    mp.start_processes(
        run_rank,
        (port, sys.argv[1], Path(sys.argv[2])),
        nprocs=2,
        start_method='fork',
    )


if __name__ == '__main__':
    main()
