"""How sure the winning cluster is, without maps of all clusters."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..geometry import pixel_cells
from .patches import corner_range, prepare
from .pixel_table import PixelTable
from .winning import winning_labels_at

# Most values interpolated at once, and most patches side by side: with more,
# fewer clusters are out of the question in all of them.
_VALUES = 1 << 20
_PATCHES = 16


class Confidence(NamedTuple):
    """Winner of every pixel and softmax probabilities, each (H, W)."""

    labels: Tensor
    """int64, as from :func:`~fgsn_mmseg.inference.winning_labels`."""
    winner: Tensor
    """Probability of the winner, float32."""
    runner_up: Tensor
    """Probability of the second-best cluster, 0 where there is none."""


def winner_confidence(
    logits: Tensor,
    size: tuple[int, int],
    align_corners: bool,
    tolerance: float = 1e-4,
) -> Confidence:
    """Find winners and softmax probabilities of logits enlarged bilinearly.

    Clusters that together cannot change a probability by more than
    ``tolerance`` are left out. The flatter the logits, the fewer these are,
    and the longer it takes.

    Args:
        logits (Tensor): (K, h, w) of any floating-point type.
        size (tuple[int, int]): (H, W) of the result.
        align_corners (bool): As in ``F.interpolate``.
        tolerance (float): Largest error of a probability beside rounding.
            Default: 1e-4.

    Returns:
        Confidence: Labels and probabilities.

    Raises:
        TypeError: If the logits are not floating point.
        ValueError: If a shape is wrong or the tolerance not in (0, 1).
    """
    ys, xs = (
        pixel_cells(cells, length, align_corners)
        for cells, length in zip(logits.shape[-2:], size)
    )
    return winner_confidence_at(logits, ys, xs, tolerance)


@torch.no_grad()
def winner_confidence_at(
    logits: Tensor, ys: Tensor, xs: Tensor, tolerance: float = 1e-4
) -> Confidence:
    """Find winners and softmax probabilities on a grid of any positions.

    Args:
        logits (Tensor): (K, h, w), see :func:`winner_confidence`.
        ys (Tensor): (H,) rows of the pixels in cells, in [0, h - 1].
        xs (Tensor): (W,) columns of the pixels in cells, in [0, w - 1].
        tolerance (float): See :func:`winner_confidence`.

    Returns:
        Confidence: Labels and probabilities.

    Raises:
        TypeError: If the logits are not floating point.
        ValueError: If a shape, a coordinate or the tolerance is wrong.
    """
    if not 0 < tolerance < 1:
        raise ValueError(
            f'`tolerance` should be in (0, 1), but got {tolerance}'
        )
    # A cluster that stays this far below another one has at most the share
    # tolerance / K of its probability.
    margin = math.log(max(len(logits), 1) / tolerance)
    labels = winning_labels_at(logits, ys, xs)
    logits, rows, columns = prepare(logits, ys, xs)
    winner = torch.zeros(labels.shape, device=labels.device)
    result = Confidence(labels, winner, torch.zeros_like(winner))
    values = len(logits) * rows.slots * columns.slots
    step = min(max(_VALUES // values, 1), _PATCHES)
    for y in range(logits.shape[1] - 1):
        row = rows.part(y, y + 1)
        for x in range(0, logits.shape[2] - 1 if len(row.cell) else 0, step):
            tile = columns.part(x, x + step)
            if len(tile.cell):
                block = logits[:, y : y + 2, x : x + step + 1]
                _fill(result, block, row, tile, margin)
    return result


def _fill(
    result: Confidence,
    block: Tensor,
    row: PixelTable,
    columns: PixelTable,
    margin: float,
) -> None:
    """Write the probabilities of the pixels of a row of patches.

    Args:
        result (Confidence): Labels, and probabilities to write in place.
        block (Tensor): (K, 2, c + 1) logits.
        row (PixelTable): The one patch of the rows.
        columns (PixelTable): Those of the columns.
        margin (float): How far below a bound on the winner a cluster matters.
    """
    block = block.to(row.fraction.dtype)
    lowest, highest = corner_range(block)
    matters = (highest >= lowest.amax(0) - margin).flatten(1).any(1)
    ids = matters.nonzero().squeeze(1)
    if not len(ids):  # nothing but NaN
        return
    block = block.index_select(0, ids)
    left = block[..., columns.cell, None]
    right = block[..., columns.cell + 1, None]
    across = ((right - left) * columns.fraction + left).flatten(2)
    upper, lower = across[:, :1], across[:, 1:]
    down = row.fraction[0][:, None]
    values = ((lower - upper) * down).add_(upper)
    y, x = row.pixel[0][:, None], columns.pixel.flatten()
    # Only with NaN may a winner be none of those that matter.
    index = torch.searchsorted(ids, result.labels[y, x].contiguous())
    index = index.clamp_(max=len(ids) - 1)[None]
    best = values.gather(0, index)
    values.sub_(best).scatter_(0, index, -torch.inf)
    second = values.amax(0).exp_()
    total = values.exp_().sum(0).add_(1)
    result.winner[y, x] = total.reciprocal().float()
    result.runner_up[y, x] = second.div_(total).float()
