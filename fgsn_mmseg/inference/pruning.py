"""Bilinear maps of very many clusters, evaluated only where it matters.

Between four neighbouring cells of a map a bilinear surface lies between its
smallest and its largest corner value. So in such a patch only clusters whose
largest corner value reaches the largest (over all clusters) smallest corner
value can win. Of thousands of clusters usually a few remain, and only these
are interpolated. Where many remain they are interpolated all the same, one
after the other, so that the result is exact and memory stays bounded.
"""

from __future__ import annotations

from typing import Callable, Iterator

import torch
from torch import Tensor

from .pixel_table import PixelTable

# One (ids (n,), values (n, sy, sx)) per rank: the first candidates of n
# patches, then the second ones of those n' <= n patches that have two ...
Ranks = Iterator[tuple[Tensor, Tensor]]
# (first ids (n,), (sy, sx), ranks) -> tensors (n, sy, sx)
Reducer = Callable[[Tensor, tuple[int, int], Ranks], tuple[Tensor, ...]]

# Elements of logits pruned at once and values interpolated at once. On a CPU
# what fits its caches is fastest, a GPU wants large kernels.
_PRUNED = {'cpu': 1 << 20, 'other': 1 << 26}
_INTERPOLATED = {'cpu': 1 << 16, 'other': 1 << 22}


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
    rows = PixelTable(ys, height, 'ys')
    columns = PixelTable(xs, width, 'xs')
    # A single row or column becomes a patch by standing on both its sides.
    logits = logits.expand(-1, max(height, 2), -1) if height == 1 else logits
    logits = logits.expand(-1, -1, max(width, 2)) if width == 1 else logits
    kind = 'cpu' if logits.device.type == 'cpu' else 'other'
    step = max(_PRUNED[kind] // (clusters * width) - 1, 1)

    maps: tuple[Tensor, ...] = ()
    across = (columns.patch * columns.slots + columns.slot).to(logits.device)
    for first in range(0, len(rows.fraction), step):
        patches = slice(first, first + step)
        chosen = (rows.patch >= first) & (rows.patch < first + step)
        chosen = chosen.nonzero().squeeze(1)
        if not len(chosen):
            continue
        parts = _reduce_strip(
            logits[:, first : first + step + 1],
            rows.fraction[patches],
            columns.fraction,
            reducer,
            margin,
            _INTERPOLATED[kind],
        )
        down = (rows.patch[chosen] - first) * rows.slots + rows.slot[chosen]
        maps = maps or tuple(
            part.new_empty(len(rows.patch), len(columns.patch))
            for part in parts
        )
        down, chosen = down.to(logits.device), chosen.to(logits.device)
        for result, part in zip(maps, parts):
            result[chosen] = part.index_select(0, down).index_select(1, across)
    return maps


def _candidates(block: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """Clusters that can win in each patch.

    Args:
        block (Tensor): (K, r + 1, c + 1).
        margin (float): See :func:`reduce_pixels`.

    Returns:
        tuple[Tensor, Tensor]: Ids of all candidates, patch after patch and
        ascending within one, and their numbers (r * c,), at least 1 unless
        there are NaN.
    """
    lowest = torch.minimum(block[:, :-1], block[:, 1:])
    lowest = torch.minimum(lowest[..., :-1], lowest[..., 1:])
    bound = lowest.amax(0)
    if margin:
        bound = bound.to(torch.promote_types(bound.dtype, torch.float32))
        bound -= margin
    highest = torch.maximum(block[:, :-1], block[:, 1:])
    highest = torch.maximum(highest[..., :-1], highest[..., 1:])
    found = (highest >= bound).flatten(1).nonzero()
    patch, order = found[:, 1].sort(stable=True)
    return found[order, 0], torch.bincount(patch, minlength=bound.numel())


def _reduce_strip(
    block: Tensor,
    row_fractions: Tensor,
    column_fractions: Tensor,
    reducer: Reducer,
    margin: float,
    limit: int,
) -> tuple[Tensor, ...]:
    """Reduce all patches of a strip of rows.

    Args:
        block (Tensor): (K, r + 1, c + 1).
        row_fractions (Tensor): (r, sy), see :class:`PixelTable`.
        column_fractions (Tensor): (c, sx).
        reducer (Callable): See :func:`reduce_pixels`.
        margin (float): See :func:`reduce_pixels`.
        limit (int): Largest number of values interpolated at once.

    Returns:
        tuple[Tensor, ...]: Results (r * sy, c * sx).
    """
    (r, sy), (c, sx) = row_fractions.shape, column_fractions.shape
    ids, counts = _candidates(block, margin)
    # NaN alone leaves a patch without candidates: call it cluster 0.
    if not len(ids):
        ids = ids.new_zeros(1)
    # Patches with many candidates first, so that those that have a j-th one
    # are always the first few.
    counts, order = counts.sort(descending=True)
    starts = counts.new_zeros(len(counts))
    starts[order] = counts
    starts = (starts.cumsum(0) - starts)[order]
    starts.clamp_(max=len(ids) - 1)
    counts = counts.cpu()

    dtype = torch.promote_types(block.dtype, torch.float32)
    flat = block.reshape(len(block), -1)
    down = row_fractions.to(flat.device, dtype)
    across = column_fractions.to(flat.device, dtype)
    step = max(limit // (sy * sx), 1)
    results: tuple[Tensor, ...] = ()
    for begin in range(0, r * c, step):
        part = slice(begin, begin + step)
        y, x = order[part] // c, order[part] % c
        ranks = _ranks(
            flat, ids, starts[part], counts[part], y, x, down, across
        )
        reduced = reducer(ids[starts[part]], (sy, sx), ranks)
        results = results or tuple(
            one.new_empty(r * c, sy, sx) for one in reduced
        )
        for result, one in zip(results, reduced):
            result[order[part]] = one
    return tuple(
        one.view(r, c, sy, sx).permute(0, 2, 1, 3).reshape(r * sy, c * sx)
        for one in results
    )


def _ranks(
    flat: Tensor,
    ids: Tensor,
    starts: Tensor,
    counts: Tensor,
    y: Tensor,
    x: Tensor,
    down: Tensor,
    across: Tensor,
) -> Ranks:
    """Interpolate the first candidates, then the second ones, and so on.

    Args:
        flat (Tensor): (K, (r + 1) * (c + 1)) logits of the strip.
        ids (Tensor): Candidates of all patches.
        starts (Tensor): (n,) index of each patch's first one.
        counts (Tensor): (n,) their numbers, descending, on the CPU.
        y (Tensor): (n,) rows of the patches.
        x (Tensor): (n,) columns of the patches.
        down (Tensor): (r, sy) fractions.
        across (Tensor): (c, sx) fractions.

    Yields:
        tuple[Tensor, Tensor]: Ids (n',) and values (n', sy, sx).
    """
    width = len(across) + 1
    ascending = counts.flip(0).contiguous()
    ranks = torch.arange(int(counts[0]))
    have = len(counts) - torch.searchsorted(ascending, ranks, right=True)
    numbers = have.tolist()
    # A single candidate has won: no need to look at its values.
    numbers[:1] = numbers[1:2]
    corner = y * width + x
    for rank, n in enumerate(numbers):
        chosen = ids[starts[:n] + rank]
        upper, lower = (
            _between(flat, chosen, at, across[x[:n]])
            for at in (corner[:n], corner[:n] + width)
        )
        # Products and sums are separate operations on purpose: fused ones
        # round differently in vectorised and in remaining elements, and equal
        # logits would no longer give equal values.
        values = (lower - upper)[:, None] * down[y[:n], :, None]
        yield chosen, values.add_(upper[:, None])


def _between(flat: Tensor, ids: Tensor, at: Tensor, across: Tensor) -> Tensor:
    """Interpolate from cell ``at`` to the next: (n, sx)."""
    left = flat[ids, at].to(across.dtype)[:, None]
    right = flat[ids, at + 1].to(across.dtype)[:, None]
    return left + (right - left) * across
