from __future__ import annotations

import os

# (rank, number of processes, place on this machine) as torchrun and Slurm
# name them.
_NAMES = (
    ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
)


def rank_from_environment() -> tuple[int, int, int]:
    """Which of several processes this is.

    Jobs whose processes need nothing from each other take every n-th item;
    they start without a process group, on CPU as well as on GPU.

    Returns:
        Rank, number of processes, and rank on this machine; (0, 1, 0) where
        no launcher started several.
    """
    for names in _NAMES:
        if all(name in os.environ for name in names):
            rank, size, local = (int(os.environ[name]) for name in names)
            return rank, size, local
    return 0, 1, 0
