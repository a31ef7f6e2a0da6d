from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object, collect_results, get_world_size

from ..clustering import FeatureReservoir

Offer = Callable[[list[FeatureReservoir]], None]
"""Fills reservoirs with what this rank has."""


def gather(
    runner: Any, offer: Offer, limit: int | None, number: int = 1
) -> list[FeatureReservoir]:
    """Let every rank fill reservoirs, and merge them on rank 0.

    Args:
        runner: The run, for a folder.
        offer: Called on each rank.
        limit: Of every reservoir.
        number: Of reservoirs.

    Returns:
        As many; they are empty on all ranks but 0.

    Raises:
        RuntimeError: On all ranks, if one of them failed.
    """
    own = [FeatureReservoir(limit) for _ in range(number)]
    failure: Exception | None = None
    try:
        offer(own)
    except Exception as error:  # the other ranks would wait for ever
        failure = error
    reasons = all_gather_object(None if failure is None else str(failure))
    if failure is not None:
        raise failure
    for rank, reason in enumerate(reasons):
        if reason is not None:
            raise RuntimeError(f'Clustering failed on rank {rank}: {reason}')
    parts = collect_results(
        [own],
        get_world_size(),
        'cpu',
        tmpdir=str(Path(runner.work_dir) / '.clustering'),
    )
    merged = [FeatureReservoir(limit) for _ in range(number)]
    for index, one in enumerate(merged):
        one.merge(part[index] for part in parts or [])
    return merged
