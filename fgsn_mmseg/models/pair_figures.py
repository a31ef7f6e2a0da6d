"""The authors' validation figures of a pair of whole images.

Paper and authors' code, see the method's section on validation. All maps
stay at feature resolution; nothing is cropped and nothing is drawn, so that
the figures are the same in every run.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry import Size, at_cells, match_cells
from .losses import CorrespondenceLoss

# Of the authors' validation: a squared feature distance counts up to this
# much per channel.
MAX_SQUARED_DISTANCE = 0.8**2


@dataclass(frozen=True)
class ImageMaps:
    """A student's maps of one whole image and the pixels that they cover."""

    features: Tensor
    """(C, h, w)."""
    logits: Tensor
    """(K, h, w)."""
    extent: Size
    """(H, W) in pixels for which the cells' rule holds."""


def validation_figures(
    maps: ImageMaps,
    maps2: ImageMaps,
    points: Tensor,
    points2: Tensor,
    label_map: Tensor,
    weights: Tensor | None,
    grid: str,
) -> dict[str, Tensor]:
    """The authors' three figures of one pair, each a scalar tensor.

    Args:
        maps: Of the reference.
        maps2: Of the target.
        points: (N, 2) in the reference.
        points2: (N, 2) in the target.
        label_map: (h, w) teacher's labels of the reference.
        weights: (N,) exp(-distance from the image centre), or None for 1.
        grid: How cells cover the images.

    Returns:
        ``val_loss_cluster``: cross entropies with the teacher's label, as in
        ``loss_corr``. ``val_loss_feat``: mean of weight times squared
        feature distance, at most 0.8^2 per channel. ``val_loss_out``: mean
        KL divergence of the target's from the reference's probabilities, in
        nats. All are zero for N = 0.
    """
    cells, cells2, kept = match_cells(
        points,
        points2,
        maps.extent,
        maps.logits.shape[-2:],
        grid,
        maps2.extent,
        maps2.logits.shape[-2:],
    )
    if weights is None:
        weights = torch.ones_like(points[:, 0])
    return dict(
        val_loss_cluster=CorrespondenceLoss(grid).loss_of_pair(
            maps.logits,
            maps2.logits,
            points,
            points2,
            label_map,
            maps.extent,
            maps2.extent,
        ),
        val_loss_feat=feature_distance(
            at_cells(maps.features, cells),
            at_cells(maps2.features, cells2),
            weights[kept],
        ),
        val_loss_out=output_divergence(
            at_cells(maps.logits, cells), at_cells(maps2.logits, cells2)
        ),
    )


def feature_distance(
    features: Tensor, features2: Tensor, weights: Tensor
) -> Tensor:
    """Mean of weight times clipped squared distance; zero for N = 0.

    Args:
        features: (N, C) of the reference.
        features2: (N, C) of the target.
        weights: (N,).
    """
    if len(features) == 0:
        return features.new_zeros(())
    limit = MAX_SQUARED_DISTANCE * features.shape[1]
    squared = (features - features2).square().sum(1).clamp(max=limit)
    return (weights * squared).mean()


def output_divergence(logits: Tensor, logits2: Tensor) -> Tensor:
    """Mean KL(softmax(logits) || softmax(logits2)), nats; zero for N = 0.

    Args:
        logits: (N, K) of the reference.
        logits2: (N, K) of the target.
    """
    if len(logits) == 0:
        return logits.new_zeros(())
    return F.kl_div(
        logits2.log_softmax(1),
        logits.log_softmax(1),
        reduction='batchmean',
        log_target=True,
    )
