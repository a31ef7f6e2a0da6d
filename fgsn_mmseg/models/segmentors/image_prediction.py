"""Label maps of single images, without full-size maps of all clusters.

What comes out is what mmseg's own path gives (``whole_inference`` or
``slide_inference``, then ``postprocess_result``): padding cut off, flipped
back, resized bilinearly to the original size, argmax. Here the winner of
every pixel is read off the logits at feature resolution, see
:mod:`fgsn_mmseg.inference`. Where the image was not resized both agree but
for ties; where it was, mmseg interpolates twice and this path once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from ...geometry import pixel_cells
from ...inference import BlendedMap, winner_confidence_at, winning_labels_at

if TYPE_CHECKING:
    from .cluster_segmentor import ClusterSegmentor


@torch.no_grad()
def predict_images(
    model: ClusterSegmentor, images: Tensor, data_samples: list | None
) -> list:
    """Add ``pred_sem_seg``, and on request ``confidence``, to samples.

    Args:
        model: The segmentor, in eval mode.
        images: (B, 3, H, W).
        data_samples: B samples, or None for results of the size (H, W).

    Returns:
        The samples with ``pred_sem_seg`` (1, h, w) int64, and with
        ``test_cfg.confidence`` also ``confidence`` (2, h, w) float32: the
        softmax probabilities of the winner and of the runner-up.
    """
    samples = data_samples
    if samples is None:
        samples = [SegDataSample() for _ in images]
    maps = model.over_windows(model.student_logits, images)
    size = tuple(images.shape[-2:])
    for logits, sample in zip(maps.data, samples):
        ys, xs = pixels_of(maps, size, sample.metainfo)
        if model.asks_for('confidence'):
            labels, *probabilities = winner_confidence_at(logits, ys, xs)
            confidence = PixelData(data=torch.stack(probabilities))
            sample.set_data({'confidence': confidence})
        else:
            labels = winning_labels_at(logits, ys, xs)
        sample.set_data({'pred_sem_seg': PixelData(data=labels[None])})
    return samples


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


def reduce_results(model: ClusterSegmentor, samples: list) -> list:
    """Leave in mmseg's own results what is asked for.

    Args:
        model: The segmentor.
        samples: With ``seg_logits`` and ``pred_sem_seg`` of full size.

    Returns:
        The samples; ``seg_logits`` only if ``test_cfg.seg_logits``, and
        ``confidence`` if ``test_cfg.confidence``.
    """
    for sample in samples:
        if model.asks_for('confidence'):
            best = sample.seg_logits.data.float().softmax(0).topk(2, 0)
            sample.set_data({'confidence': PixelData(data=best.values)})
        if not model.asks_for('seg_logits'):
            del sample.seg_logits
    return samples
