"""Label maps of single images, without full-size maps of all clusters.

What comes out is what mmseg's own path gives (``whole_inference`` or
``slide_inference``, then ``postprocess_result``): padding cut off, flipped
back, resized bilinearly to the original size, argmax. Here the winner of
every pixel is read off the logits at feature resolution, see
:mod:`fgsn_mmseg.inference`. Where the image was not resized both agree but
for ties; where it was, mmseg interpolates twice and this path once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...geometry import pixel_cells
from ...inference import BlendedMap, winner_confidence_at, winning_labels_at


def label_image(
    maps: BlendedMap,
    logits: Tensor,
    size: tuple[int, ...],
    meta: dict[str, Any],
    confidence: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Labels of an image at its original size.

    Args:
        maps: What ``logits`` is one of: how it lies on the network's input.
        logits: (K, h, w).
        size: (H, W) of the network's input.
        meta: Of the image, see :func:`pixels_of`.
        confidence: Whether the probabilities are asked for.

    Returns:
        (H', W') int64, and (2, H', W') float32 or None: the softmax
        probabilities of the winner and of the runner-up.
    """
    ys, xs = pixels_of(maps, size, meta)
    if not confidence:
        return winning_labels_at(logits, ys, xs), None
    labels, *probabilities = winner_confidence_at(logits, ys, xs)
    return labels, torch.stack(probabilities)


def pixels_of(
    maps: BlendedMap, size: tuple[int, ...], meta: dict[str, Any]
) -> tuple[Tensor, Tensor]:
    """Where the pixels of an image's result lie on its map.

    Args:
        maps: Map of the network's input.
        size: (H, W) of that input.
        meta: Of the image, as mmseg writes it: ``img_padding_size`` or
            ``padding_size`` (left, right, top, bottom), ``flip``,
            ``flip_direction``, ``ori_shape``. What is missing counts as not
            done.

    Returns:
        Rows (h,) and columns (w,) in cells.
    """
    padding = meta.get('img_padding_size', meta.get('padding_size', [0] * 4))
    direction = meta.get('flip_direction') if meta.get('flip') else None
    axes = []
    for axis, mirrored in enumerate(('vertical', 'horizontal')):
        before, after = padding[2 * (1 - axis) : 2 * (1 - axis) + 2]
        length = size[axis] - before - after
        axes.append(
            pixel_cells(
                maps.data.shape[axis - 2],
                maps.extent[axis],
                maps.align_corners,
                length=length,
                start=before,
                size=meta.get('ori_shape', (length, length))[axis],
                flip=direction in (mirrored, 'diagonal'),
            )
        )
    return axes[0], axes[1]
