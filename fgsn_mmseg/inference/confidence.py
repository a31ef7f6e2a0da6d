"""How sure the winning cluster is, without maps of all clusters."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .coordinates import pixel_cells
from .pixel_reduction import Ranks, reduce_pixels


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
    tolerance: float = 1e-6,
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
            Default: 1e-6.

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


def winner_confidence_at(
    logits: Tensor, ys: Tensor, xs: Tensor, tolerance: float = 1e-6
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
    labels, winner, runner_up = reduce_pixels(logits, ys, xs, _softmax, margin)
    return Confidence(labels, winner, runner_up)


def _softmax(
    first: Tensor, slots: tuple[int, int], ranks: Ranks
) -> tuple[Tensor, Tensor, Tensor]:
    """Keep the winner, its probability and that of the second of each pixel.

    The sum of exponentials is kept relative to the best value so far, so
    that nothing overflows.
    """
    labels = first.int()[:, None, None].repeat(1, *slots)
    winner = torch.ones(labels.shape, device=labels.device)
    runner_up = torch.zeros_like(winner)
    best = second = total = None
    for ids, values in ranks:
        if best is None or second is None or total is None:
            best, total = values, torch.ones_like(values)
            second = torch.full_like(values, -math.inf)
            continue
        n = len(ids)
        old, old_total = best[:n], total[:n]
        better = values > old
        labels[:n] = torch.where(better, ids.int()[:, None, None], labels[:n])
        share = (values - old).abs_().neg_().exp_()
        total[:n] = torch.where(
            better, old_total * share + 1, old_total + share
        )
        second[:n] = torch.maximum(second[:n], torch.minimum(values, old))
        best[:n] = torch.maximum(values, old)
    if best is not None and second is not None and total is not None:
        n = len(best)
        winner[:n] = 1 / total
        runner_up[:n] = (second - best).exp() / total
    return labels.long(), winner, runner_up
