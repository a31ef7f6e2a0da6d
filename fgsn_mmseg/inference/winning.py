"""The winning cluster of every pixel, without maps of all clusters."""

from __future__ import annotations

import torch
from torch import Tensor

from .coordinates import pixel_cells
from .pixel_reduction import Ranks, reduce_pixels


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


def winning_labels_at(logits: Tensor, ys: Tensor, xs: Tensor) -> Tensor:
    """Find the argmax of bilinear logits on a grid of any positions.

    Args:
        logits (Tensor): (K, h, w), see :func:`winning_labels`.
        ys (Tensor): (H,) rows of the pixels in cells, in [0, h - 1], in any
            order; see :func:`~fgsn_mmseg.inference.pixel_cells`.
        xs (Tensor): (W,) columns of the pixels in cells, in [0, w - 1].

    Returns:
        Tensor: Labels (H, W) int64.

    Raises:
        TypeError: If the logits are not floating point.
        ValueError: If a shape or coordinate is wrong.
    """
    (labels,) = reduce_pixels(logits, ys, xs, _argmax, margin=0)
    return labels


def _argmax(
    first: Tensor, slots: tuple[int, int], ranks: Ranks
) -> tuple[Tensor]:
    """Keep the id of the largest value of each pixel."""
    labels = first.int()[:, None, None].repeat(1, *slots)
    best = None
    for ids, values in ranks:
        n = len(ids)
        if best is None:
            best = values
            continue
        # Ids ascend: only a larger value takes the pixel.
        better = values > best[:n]
        labels[:n] = torch.where(better, ids.int()[:, None, None], labels[:n])
        torch.maximum(best[:n], values, out=best[:n])
    return (labels.long(),)
