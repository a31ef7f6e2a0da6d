"""Parts of a map and the clusters that can win there.

In a rectangle a bilinear surface lies between its smallest and its largest
corner value. So in a patch between four neighbouring cells only clusters can
win whose largest corner value reaches the largest (over all clusters) smallest
corner value. Of thousands of clusters a few dozen remain. Where there are
many, at borders between labels, the patch can be split into quarters and the
same bound be drawn again.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .pixel_table import PixelTable


class Patches(NamedTuple):
    """n patches and all their candidates, N altogether."""

    y: Tensor
    """(n,) rows in the table of the rows."""
    x: Tensor
    """(n,) rows in the table of the columns."""
    counts: Tensor
    """(n,) numbers of candidates."""
    ids: Tensor
    """(N,) candidates, patch after patch and ascending within one."""
    corners: Tensor
    """(4, N) their values at the four cells around the patch, split or not:
    upper left, upper right, lower left, lower right."""


def prepare(
    logits: Tensor, ys: Tensor, xs: Tensor
) -> tuple[Tensor, PixelTable, PixelTable]:
    """Check logits and pixels, and sort the pixels into patches.

    Args:
        logits (Tensor): (K, h, w).
        ys (Tensor): (H,) rows of the pixels in cells.
        xs (Tensor): (W,) columns of the pixels in cells.

    Returns:
        tuple: The logits with at least two rows and columns, and the pixels
        of both axes on their device.

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
    _, height, width = logits.shape
    dtype = torch.promote_types(logits.dtype, torch.float32)
    rows = PixelTable.from_positions(ys, height, 'ys')
    columns = PixelTable.from_positions(xs, width, 'xs')
    # A single row or column becomes a patch by standing on both its sides.
    logits = logits.expand(-1, max(height, 2), -1) if height == 1 else logits
    logits = logits.expand(-1, -1, max(width, 2)) if width == 1 else logits
    return (
        logits,
        rows.to(logits.device, dtype),
        columns.to(logits.device, dtype),
    )


def corner_range(block: Tensor) -> tuple[Tensor, Tensor]:
    """Find the smallest and largest corner values of all patches.

    Args:
        block (Tensor): (K, r + 1, c + 1).

    Returns:
        tuple[Tensor, Tensor]: (K, r, c) each.
    """
    lowest = torch.minimum(block[:, :-1], block[:, 1:])
    lowest = torch.minimum(lowest[..., :-1], lowest[..., 1:])
    highest = torch.maximum(block[:, :-1], block[:, 1:])
    highest = torch.maximum(highest[..., :-1], highest[..., 1:])
    return lowest, highest


def find_candidates(
    block: Tensor, rows: PixelTable, columns: PixelTable
) -> Patches:
    """Find the clusters that can win between cells.

    Args:
        block (Tensor): (K, r + 1, c + 1).
        rows (PixelTable): Patches of the r rows.
        columns (PixelTable): Patches of the c columns.

    Returns:
        Patches: One for each row and column of the tables.
    """
    lowest, highest = corner_range(block)
    found = highest >= lowest.amax(0)
    if found[0].numel() != len(rows.cell) * len(columns.cell):
        found = found[:, rows.cell][:, :, columns.cell]
    ids, owner = found.flatten(1).nonzero().unbind(1)
    n = len(columns.cell)
    flat = block.reshape(len(block), -1)
    corner = rows.cell[owner // n] * block.shape[2] + columns.cell[owner % n]
    corners = torch.stack(
        [
            flat[ids, corner + offset]
            for offset in (0, 1, block.shape[2], block.shape[2] + 1)
        ]
    )
    corners = corners.to(columns.fraction.dtype)
    patches = n * len(rows.cell)
    kept = _not_dominated(ids, corners, owner, patches)
    ids, owner = ids[kept], owner[kept]
    corners = corners.index_select(1, kept)
    owner, order = owner.int().sort(stable=True)
    y = torch.arange(len(rows.cell), device=block.device)
    x = torch.arange(n, device=block.device)
    return Patches(
        y.repeat_interleave(n),
        x.repeat(len(y)),
        torch.bincount(owner, minlength=patches),
        ids.index_select(0, order),
        corners.index_select(1, order),
    )


def _not_dominated(
    ids: Tensor, corners: Tensor, owner: Tensor, patches: int
) -> Tensor:
    """Find candidates that are not below the winner of the patch's centre.

    Half of the candidates usually are. Where all logits are equal all are but
    one, which saves a search that could drop none.

    Args:
        ids (Tensor): (N,) candidates, ascending.
        corners (Tensor): (4, N) their corner values.
        owner (Tensor): (N,) patch of each.
        patches (int): Number of patches.

    Returns:
        Tensor: Indices of those that may win or tie with a lower id.
    """
    centre = corners.sum(0)
    best = centre.new_full((patches,), -torch.inf)
    best.scatter_reduce_(0, owner, centre, 'amax')
    # Every patch has one, but for NaN; the lowest id is the first.
    winners = (centre >= best.index_select(0, owner)).nonzero().squeeze(1)
    winner = owner.new_full((patches,), len(ids))
    winner.scatter_reduce_(0, owner[winners], winners, 'amin')
    winner = winner.clamp_(max=len(ids) - 1).index_select(0, owner)
    rival = corners.index_select(1, winner)
    index = torch.arange(len(ids), device=ids.device)
    above = (corners > rival).any(0)
    # An equal value wins against a higher id.
    tied = (corners >= rival).any(0) & (index <= winner)
    return (above | tied).nonzero().squeeze(1)


def split_patches(
    patches: Patches,
    chosen: Tensor,
    rows: PixelTable,
    columns: PixelTable,
) -> Patches:
    """Quarter some patches and prune the candidates of each quarter.

    Args:
        patches (Patches): All patches.
        chosen (Tensor): (n,) bool, which ones to split.
        rows (PixelTable): The rows that ``patches.y`` means.
        columns (PixelTable): The columns that ``patches.x`` means.

    Returns:
        Patches: Four for each that was chosen, in the halved tables.
    """
    taken = chosen.repeat_interleave(patches.counts).nonzero().squeeze(1)
    corners = patches.corners.index_select(1, taken)
    y, x = patches.y[chosen], patches.x[chosen]
    owner = torch.arange(len(y), device=y.device)
    owner = owner.repeat_interleave(patches.counts[chosen])
    # First and last pixel, and the first one of the second half.
    down, across = (
        table.fraction[:, [0, table.slots // 2, -1]][at].T
        for table, at in ((rows, y), (columns, x))
    )
    points = interpolate(
        corners[:, None],
        down.index_select(1, owner)[:, None],
        across.index_select(1, owner),
    )
    lowest = torch.minimum(points[:-1], points[1:])
    lowest = torch.minimum(lowest[:, :-1], lowest[:, 1:]).flatten(0, 1)
    highest = torch.maximum(points[:-1], points[1:])
    highest = torch.maximum(highest[:, :-1], highest[:, 1:]).flatten(0, 1)
    bound = lowest.new_full((4, len(y)), -torch.inf)
    bound.scatter_reduce_(1, owner.expand(4, -1), lowest, 'amax')
    kept = highest >= bound.index_select(1, owner)
    quarter, pair = kept.nonzero().unbind(1)
    offset = torch.arange(2, device=y.device)[:, None]
    return Patches(
        (2 * y + offset).repeat_interleave(2, 0).flatten(),
        (2 * x + offset).repeat(2, 1).flatten(),
        torch.bincount(
            quarter * len(y) + owner.index_select(0, pair),
            minlength=4 * len(y),
        ),
        patches.ids.index_select(0, taken.index_select(0, pair)),
        corners.index_select(1, pair),
    )


def interpolate(corners: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Interpolate between four values, the first dimension of ``corners``.

    Products and sums are separate operations on purpose: fused ones round
    differently in vectorised and in remaining elements, and equal logits
    would no longer give equal values.
    """
    left, right, lower_left, lower_right = corners
    upper = (right - left) * across + left
    lower = (lower_right - lower_left) * across + lower_left
    return ((lower - upper) * down).add_(upper)
