"""Bilinear maps of very many clusters, evaluated only where it matters.

Clusters that cannot win are pruned between cells and, where many are left,
once more in quarters of what lies between cells (see ``patches.py``). What
remains is interpolated at all pixels, one candidate after the other: the
result is exact, and memory bounded however many candidates there are.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple

import torch
from torch import Tensor

from .patches import Patches, find_candidates, interpolate, split_patches
from .pixel_table import PixelTable

# One (ids (n,), values (n, sy, sx)) per rank: the first candidates of n
# patches, then the second ones of those n' <= n patches that have two ...
Ranks = Iterator[tuple[Tensor, Tensor]]
# (first ids (n,), (sy, sx), ranks) -> tensors (n, sy, sx)
Reducer = Callable[[Tensor, tuple[int, int], Ranks], tuple[Tensor, ...]]


class Limits(NamedTuple):
    """What is worked on at once."""

    logits: int
    """Elements of the logits that are searched for candidates."""
    pairs: int
    """Candidates of all patches that are split."""
    values: int
    """Interpolated values."""


# A CPU is fastest on what fits its caches, a GPU wants large kernels.
CPU_LIMITS = Limits(1 << 20, 1 << 16, 1 << 16)
GPU_LIMITS = Limits(1 << 24, 1 << 21, 1 << 22)
# Splitting a candidate of a patch costs about as much as interpolating it at
# 16 pixels, and seldom drops one of a few.
FEW_CANDIDATES = 4


@torch.no_grad()
def reduce_pixels(
    logits: Tensor, ys: Tensor, xs: Tensor, reducer: Reducer, margin: float
) -> tuple[Tensor, ...]:
    """Interpolate the clusters that matter at every pixel and reduce them.

    Args:
        logits (Tensor): (K, h, w), floating point.
        ys (Tensor): (H,) rows of the pixels in cells, in [0, h - 1].
        xs (Tensor): (W,) columns of the pixels in cells, in [0, w - 1].
        reducer (Callable): Turns the candidates of some patches into values
            of their pixels. Candidates come in the order of their ids. Where
            no patch has a second candidate it gets no ranks, else ranks of
            those patches only that have two (they come first).
        margin (float): Clusters are candidates as well where they stay below
            the bound by at most this much.

    Returns:
        tuple[Tensor, ...]: Maps (H, W), one for each result of the reducer.

    Raises:
        TypeError: If the logits are not floating point.
        ValueError: If a shape or coordinate is wrong.
    """
    if not logits.is_floating_point():
        raise TypeError(
            f'`logits` should be floating point, but got {logits.dtype}'
        )
    if logits.ndim != 3 or not logits.numel():
        raise ValueError(
            '`logits` should have shape (K, h, w), none of them 0, but got '
            f'{tuple(logits.shape)}'
        )
    clusters, height, width = logits.shape
    dtype = torch.promote_types(logits.dtype, torch.float32)
    columns = PixelTable.from_positions(xs, width, 'xs')
    columns = columns.to(logits.device, dtype)
    all_rows = PixelTable.from_positions(ys, height, 'ys')
    # A single row or column becomes a patch by standing on both its sides.
    logits = logits.expand(-1, max(height, 2), -1) if height == 1 else logits
    logits = logits.expand(-1, -1, max(width, 2)) if width == 1 else logits

    limits = CPU_LIMITS if logits.device.type == 'cpu' else GPU_LIMITS
    step = max(limits.logits // (clusters * width) - 1, 1)
    maps: tuple[Tensor, ...] = ()
    for first in range(0, int(all_rows.cell[-1]) + 1, step):
        rows = all_rows.rows(first, first + step)
        if not len(rows.cell):
            continue
        rows.cell -= first
        tables = [(rows.to(logits.device, dtype), columns)]
        while min(table.slots for table in tables[-1]) > 2:
            tables.append((tables[-1][0].halved(), tables[-1][1].halved()))
        patches = find_candidates(
            logits[:, first : first + step + 1], *tables[0], margin
        )
        for y, x, values in _refine(patches, tables, reducer, margin, limits):
            maps = maps or tuple(
                value.new_empty(len(ys), len(xs)) for value in values
            )
            for result, value in zip(maps, values):
                result[y, x] = value
    return maps


def _refine(
    patches: Patches,
    tables: list[tuple[PixelTable, PixelTable]],
    reducer: Reducer,
    margin: float,
    limits: Limits,
) -> Iterator[tuple[Tensor, Tensor, tuple[Tensor, ...]]]:
    """Reduce patches of few candidates, split the others, and so on.

    Args:
        patches (Patches): Any patches.
        tables (list): The rows and columns that they are numbered by, then
            these halved, then halved again ...
        reducer (Callable): See :func:`reduce_pixels`.
        margin (float): See :func:`reduce_pixels`.
        limits (Limits): What to work on at once.

    Yields:
        tuple: Rows (n, sy, 1) and columns (n, 1, sx) of pixels and the
        results of the reducer there. A pixel may come twice, with the same
        values.
    """
    many = patches.counts > FEW_CANDIDATES
    if len(tables) == 1:
        many = torch.zeros_like(many)
    rows, columns = tables[0]
    yield from _reduce(patches, ~many, rows, columns, reducer, limits.values)
    # Few enough at once that four times as many are no trouble.
    pairs = torch.where(many, patches.counts, 0).cumsum(0)
    group = torch.where(many, (pairs - 1) // limits.pairs, -1)
    for number in group[many].unique():
        chosen = group == number
        parts = split_patches(patches, chosen, rows, columns, margin)
        # Where hardly any were dropped the next time will be no better.
        deep = len(parts.ids) <= 2 * int(patches.counts[chosen].sum())
        deeper = tables[1:] if deep else tables[1:2]
        yield from _refine(parts, deeper, reducer, margin, limits)


def _reduce(
    patches: Patches,
    chosen: Tensor,
    rows: PixelTable,
    columns: PixelTable,
    reducer: Reducer,
    limit: int,
) -> Iterator[tuple[Tensor, Tensor, tuple[Tensor, ...]]]:
    """Reduce some patches, see :func:`_refine`."""
    starts = patches.counts.cumsum(0) - patches.counts
    # NaN alone leaves a patch without candidates; any id will do then.
    ids = patches.ids if len(patches.ids) else patches.y.new_zeros(1)
    starts.clamp_(max=len(ids) - 1)
    # Patches with many candidates first, so that those that have a j-th one
    # are always the first few.
    order = chosen.nonzero().squeeze(1)
    order = order[patches.counts[order].argsort(descending=True)]
    counts = patches.counts[order].cpu()
    step = max(limit // (rows.slots * columns.slots), 1)
    for begin in range(0, len(order), step):
        part = order[begin : begin + step]
        y, x = patches.y[part], patches.x[part]
        ranks = _ranks(
            ids,
            patches.corners,
            starts[part],
            counts[begin : begin + step],
            rows.fraction[y][:, :, None],
            columns.fraction[x][:, None],
        )
        values = reducer(ids[starts[part]], (rows.slots, columns.slots), ranks)
        yield rows.pixel[y][:, :, None], columns.pixel[x][:, None], values


def _ranks(
    ids: Tensor,
    corners: Tensor,
    starts: Tensor,
    counts: Tensor,
    down: Tensor,
    across: Tensor,
) -> Ranks:
    """Interpolate the first candidates, then the second ones, and so on.

    Args:
        ids (Tensor): (N,) candidates of all patches.
        corners (Tensor): (4, N) their corner values.
        starts (Tensor): (n,) index of each patch's first one.
        counts (Tensor): (n,) their numbers, descending, on the CPU.
        down (Tensor): (n, sy, 1) fractions.
        across (Tensor): (n, 1, sx) fractions.

    Yields:
        tuple[Tensor, Tensor]: Ids (n',) and values (n', sy, sx).
    """
    ascending = counts.flip(0).contiguous()
    ranks = torch.arange(int(counts[0]))
    have = len(counts) - torch.searchsorted(ascending, ranks, right=True)
    numbers = have.tolist()
    # A single candidate has won: no need to look at its values.
    numbers[:1] = numbers[1:2]
    for rank, n in enumerate(numbers):
        chosen = starts[:n] + rank
        yield (
            ids[chosen],
            interpolate(
                corners.index_select(1, chosen)[..., None, None],
                down[:n],
                across[:n],
            ),
        )
