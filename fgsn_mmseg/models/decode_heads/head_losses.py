"""The dense loss of a head: its ``loss_decode`` on the teacher's labels."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.structures import PixelData
from mmseg.models.losses import FocalLoss
from mmseg.structures import SegDataSample
from torch import Tensor

from ...geometry import Size, resample_labels
from ...structures import IGNORED_LABEL
from ..pairs import Pairs


def weight_of(loss: Any) -> float:
    """Weight of one of mmseg's losses; 1 where it has none."""
    return float(getattr(loss, 'loss_weight', 1.0))


def make_ready(loss: Any, num_clusters: int) -> None:
    """Fit a loss of mmseg to K clusters.

    It ignores 65535 in the place of 255. Class weights of another number of
    classes, which an mmseg config may bring along, are dropped.
    """
    for name in ('ignore_index', 'ignore_label'):
        if hasattr(loss, name):
            setattr(loss, name, IGNORED_LABEL)
    weights = getattr(loss, 'class_weight', None)
    if isinstance(weights, (list, tuple)) and len(weights) != num_clusters:
        print_log(
            f'`class_weight` of {type(loss).__name__} should have '
            f'num_clusters={num_clusters} numbers, but got {len(weights)}. '
            'It is left out.',
            logger='current',
            level=logging.WARNING,
        )
        loss.class_weight = None


def loss_name_of(loss: Any, alone: bool) -> str:
    """``loss_seg``; of one of several losses e.g. ``loss_seg_dice``."""
    if alone:
        return 'loss_seg'
    return f'loss_seg_{loss.loss_name.removeprefix("loss_")}'


def dense_losses(
    losses: Sequence[Any],
    logits: Tensor,
    pairs: Pairs,
    grid: str,
    sampler: Any = None,
    weight: float = 1.0,
) -> dict[str, Tensor]:
    """The references with the teacher's labels (paper, section 3).

    As mmseg's ``BaseDecodeHead.loss_by_feat``, but nothing is enlarged. A
    pair whose reference is not run adds zero to the mean over the pairs.

    Args:
        losses: Losses of mmseg; those without a weight are left out.
        logits: (n, K, h, w) of the images that are run, in reading order.
        pairs: Which images these are, and the labels.
        grid: How cells cover the image.
        sampler: mmseg's pixel sampler, which weighs the cells.
        weight: Factor of all of them.

    Returns:
        The losses by :func:`loss_name_of`; those of one name are added up.
    """
    run = pairs.run[:, 0]
    rows = logits[pairs.run.nonzero()[:, 1] == 0]
    values: dict[str, Tensor] = {}
    labels = cells = None
    if len(rows) and pairs.labels is not None:
        labels = pairs.labels[run.to(pairs.labels.device)]
        labels = resample_labels(labels, rows.shape[-2:], grid)
        labels = labels.masked_fill(labels < 0, IGNORED_LABEL)
        if sampler is not None:
            cells = sampler.sample(rows, labels[:, None])
    for loss in losses:
        if not weight_of(loss):
            continue
        if labels is None:
            # Connected: DistributedDataParallel waits for every gradient.
            value = logits.sum() * 0
        else:
            value = call_loss(loss, rows, labels, cells)
        value = value.float() * (weight * len(rows) / len(run))
        name = loss_name_of(loss, len(losses) == 1)
        values[name] = values[name] + value if name in values else value
    return values


def call_loss(
    loss: Any, logits: Tensor, labels: Tensor, weight: Tensor | None
) -> Tensor:
    """Call a loss of mmseg with those of the usual options that it takes."""
    if isinstance(loss, FocalLoss) and not logits.is_cuda:
        # On the CPU mmseg 1.2 takes one-hot labels only, and (N,) weights.
        known = (labels != IGNORED_LABEL).to(logits.dtype)
        weight = (known if weight is None else known * weight).flatten()
        classes = labels.masked_fill(labels == IGNORED_LABEL, 0)
        one_hot = F.one_hot(classes, logits.shape[1]).movedim(-1, 1)
        return loss(logits, one_hot, weight=weight)
    options: dict[str, Any] = dict(weight=weight, ignore_index=IGNORED_LABEL)
    accepted = inspect.signature(loss.forward).parameters.values()
    if not any(one.kind is one.VAR_KEYWORD for one in accepted):
        names = {one.name for one in accepted}
        options = {k: v for k, v in options.items() if k in names}
    return loss(logits, labels, **options)


def samples_at(samples: list, size: Size, grid: str) -> list:
    """Samples whose label maps have the resolution of the logits.

    Args:
        samples: With ``gt_sem_seg`` (1, H, W).
        size: (h, w) wanted: each cell gets the label nearest to it.
        grid: How cells cover the image.
    """
    found = []
    for sample in samples:
        labels = resample_labels(sample.gt_sem_seg.data, size, grid)
        labels = labels.masked_fill(labels < 0, IGNORED_LABEL)
        found.append(SegDataSample(metainfo=sample.metainfo))
        found[-1].gt_sem_seg = PixelData(data=labels)
    return found
