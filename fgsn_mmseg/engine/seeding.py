from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.dist import broadcast_object_list


def derive_seed(purpose: str, *numbers: int) -> int:
    """One seed in 0..2^32-1 for a purpose, e.g. from seed and iteration.

    Each purpose has a stream of its own: what one draws says nothing about
    what another one draws.

    Args:
        purpose: What is drawn, e.g. ``'step'``.
        *numbers: Not negative.
    """
    # numpy fills up with zeros: without their count (1, 2) and (1, 2, 0)
    # would be the same.
    state = np.random.SeedSequence(
        [
            zlib.crc32(purpose.encode()),
            len(numbers),
            *(int(number) for number in numbers),
        ]
    )
    return int(state.generate_state(1)[0])


def shared_seed(seed: int) -> int:
    """Seed of rank 0, on every rank: ``diff_rank_seed`` makes them differ."""
    seeds = [seed]
    broadcast_object_list(seeds)
    return seeds[0]


@contextmanager
def scoped_seed(seed: int) -> Iterator[None]:
    """Seed python, numpy and torch (CPU), and put their states back after.

    mmcv's transforms draw from these process-wide generators, so a sample
    can only be drawn again if they are set before it.

    Args:
        seed: In 0..2^32-1.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.random.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
