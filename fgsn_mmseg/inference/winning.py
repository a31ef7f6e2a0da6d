"""The winning cluster of every pixel, without maps of all clusters.

Clusters that cannot win are pruned between cells and, where many are left,
once more in quarters of what lies between cells (see ``patches.py``). What
remains is interpolated at all pixels, one candidate after the other: the
result is exact, and memory bounded however many candidates there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..geometry import pixel_cells
from .patches import (
    Patches,
    find_candidates,
    interpolate,
    prepare,
    split_patches,
)
from .pixel_table import PixelTable


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


def winning_labels(
    logits: Tensor, size: tuple[int, int], align_corners: bool
) -> Tensor:
    """Find the argmax of logits enlarged bilinearly.

    Equals ``F.interpolate(logits[None], size, mode='bilinear',
    align_corners=align_corners)[0].argmax(0)`` up to floating-point ties, in
    memory that does not grow with K times the size.

    Args:
        logits (Tensor): (K, h, w) of any floating-point type. Lower precision
            than float32 is interpolated in float32.
        size (tuple[int, int]): (H, W) of the result.
        align_corners (bool): As in ``F.interpolate``.

    Returns:
        Tensor: Labels (H, W) int64 on the device of the logits. Among equal
        values the lowest id wins. Where logits are NaN any label may stand.

    Raises:
        TypeError: If the logits are not floating point.
        ValueError: If a shape is wrong.
    """
    ys, xs = (
        pixel_cells(cells, length, align_corners)
        for cells, length in zip(logits.shape[-2:], size)
    )
    return winning_labels_at(logits, ys, xs)


@torch.no_grad()
def winning_labels_at(logits: Tensor, ys: Tensor, xs: Tensor) -> Tensor:
    """Find the argmax of bilinear logits on a grid of any positions.

    Args:
        logits (Tensor): (K, h, w), see :func:`winning_labels`.
        ys (Tensor): (H,) rows of the pixels in cells, in [0, h - 1], in any
            order; see :func:`~fgsn_mmseg.geometry.pixel_cells`.
        xs (Tensor): (W,) columns of the pixels in cells, in [0, w - 1].

    Returns:
        Tensor: Labels (H, W) int64.

    Raises:
        TypeError: If the logits are not floating point.
        ValueError: If a shape or coordinate is wrong.
    """
    logits, rows, columns = prepare(logits, ys, xs)
    labels = torch.zeros(
        len(ys), len(xs), dtype=torch.long, device=logits.device
    )
    limits = CPU_LIMITS if logits.device.type == 'cpu' else GPU_LIMITS
    step = limits.logits // (len(logits) * logits.shape[2]) - 1
    step = max(step, 1)
    for first in range(0, logits.shape[1] - 1, step):
        strip = rows.part(first, first + step)
        if not len(strip.cell):
            continue
        tables = [(strip, columns)]
        while min(table.slots for table in tables[-1]) > 2:
            tables.append((tables[-1][0].halved(), tables[-1][1].halved()))
        patches = find_candidates(
            logits[:, first : first + step + 1], strip, columns
        )
        _refine(labels, patches, tables, limits)
    return labels


def _refine(
    labels: Tensor,
    patches: Patches,
    tables: list[tuple[PixelTable, PixelTable]],
    limits: Limits,
) -> None:
    """Label patches of few candidates, split the others, and so on.

    Args:
        labels (Tensor): (H, W), written in place.
        patches (Patches): Any patches.
        tables (list): The rows and columns that they are numbered by, then
            these halved, then halved again ...
        limits (Limits): What to work on at once.
    """
    many = patches.counts > FEW_CANDIDATES
    if len(tables) == 1:
        many = torch.zeros_like(many)
    rows, columns = tables[0]
    _label(labels, patches, ~many, rows, columns, limits.values)
    # Few enough at once that four times as many are no trouble.
    pairs = torch.where(many, patches.counts, 0).cumsum(0)
    group = torch.where(many, (pairs - 1) // limits.pairs, -1)
    for number in group[many].unique():
        chosen = group == number
        parts = split_patches(patches, chosen, rows, columns)
        # Where hardly any were dropped the next time will be no better.
        deep = len(parts.ids) <= 2 * int(patches.counts[chosen].sum())
        _refine(labels, parts, tables[1:] if deep else tables[1:2], limits)


def _label(
    labels: Tensor,
    patches: Patches,
    chosen: Tensor,
    rows: PixelTable,
    columns: PixelTable,
    limit: int,
) -> None:
    """Write the labels of some patches.

    Args:
        labels (Tensor): (H, W), written in place.
        patches (Patches): All patches.
        chosen (Tensor): (n,) bool, which ones to label.
        rows (PixelTable): The rows that ``patches.y`` means.
        columns (PixelTable): The columns that ``patches.x`` means.
        limit (int): Largest number of values interpolated at once.
    """
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
        y, x, first = patches.y[part], patches.x[part], starts[part]
        found = ids[first].int()[:, None, None]
        found = found.repeat(1, rows.slots, columns.slots)
        best = None
        for rivals, values in _ranks(
            ids,
            patches.corners,
            first,
            counts[begin : begin + step],
            rows.fraction[y][:, :, None],
            columns.fraction[x][:, None],
        ):
            if best is None:
                best = values
                continue
            # Ids ascend: only a larger value takes the pixel.
            n = len(rivals)
            better = values > best[:n]
            rivals = rivals.int()[:, None, None]
            found[:n] = torch.where(better, rivals, found[:n])
            torch.maximum(best[:n], values, out=best[:n])
        labels[rows.pixel[y][:, :, None], columns.pixel[x][:, None]] = (
            found.long()
        )


def _ranks(
    ids: Tensor,
    corners: Tensor,
    starts: Tensor,
    counts: Tensor,
    down: Tensor,
    across: Tensor,
) -> Iterator[tuple[Tensor, Tensor]]:
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
