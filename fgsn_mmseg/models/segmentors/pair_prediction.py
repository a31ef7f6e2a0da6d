"""What validation wants to know of a pair of whole images.

Paper and authors' code, see the method's section on validation. All maps
stay at feature resolution; nothing is cropped and nothing is drawn, so that
the figures are the same in every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from ...geometry import Size, at_cells, at_points, match_cells

if TYPE_CHECKING:
    from .fgsn import FGSN

# Of the authors' validation: a squared feature distance counts up to this
# much per channel.
MAX_SQUARED_DISTANCE = 0.8**2


@dataclass(frozen=True)
class ImageMaps:
    """Student's maps of one whole image and the pixels that they cover."""

    features: Tensor
    """(C, h, w)."""
    logits: Tensor
    """(K, h, w)."""
    extent: Size
    """(H, W) in pixels for which the cells' rule holds."""


def student_maps(model: FGSN, image: Tensor) -> ImageMaps:
    """Features and logits of one image (1, 3, H, W) over its windows."""

    def network(images: Tensor) -> Tensor:
        maps = model.student_maps(images)
        return torch.cat(
            [maps.features, maps.logits.to(maps.features.dtype)], 1
        )

    blended = model.over_windows(network, image)
    channels = blended.data.shape[1] - model.num_clusters
    return ImageMaps(
        blended.data[0, :channels], blended.data[0, channels:], blended.extent
    )


@torch.no_grad()
def predict_pair(
    model: FGSN, img: Tensor, img2: Tensor, sample: SegDataSample
) -> None:
    """Add to a sample the labels at its correspondences and the figures.

    Adds ``labels``, ``labels2`` (N,) int64, the student's labels at the
    sub-pixel points; ``pred_sem_seg``, ``pred_sem_seg2`` (1, h, w) int64 at
    feature resolution; with a teacher also ``teacher_labels``,
    ``teacher_labels2`` and the scalars ``val_loss_cluster``,
    ``val_loss_feat``, ``val_loss_out``, zero for N = 0.

    Args:
        model: The segmentor, in eval mode.
        img: (1, 3, H, W) reference.
        img2: (1, 3, H2, W2) target.
        sample: With ``points``, ``points2`` (N, 2) in pixels of these images
            and, optionally, ``point_weights`` (N,).
    """
    maps, maps2 = student_maps(model, img), student_maps(model, img2)
    points, points2 = sample.points, sample.points2
    sample.set_metainfo({'num_clusters': model.num_clusters})
    for suffix, one, where in (('', maps, points), ('2', maps2, points2)):
        logits = at_points(one.logits, where, one.extent, model.grid)
        labels = one.logits.argmax(0, keepdim=True)
        sample.set_data(
            {
                f'labels{suffix}': logits.argmax(1),
                f'pred_sem_seg{suffix}': PixelData(data=labels),
            }
        )
    if model.teacher is None or model.codebook is None:
        return
    weights = getattr(sample, 'point_weights', None)
    if weights is None:
        weights = torch.ones_like(points[:, 0])
    taught = [model.over_windows(model.teacher, one) for one in (img, img2)]
    for suffix, blended, where in zip(('', '2'), taught, (points, points2)):
        features = at_points(
            blended.data[0], where, blended.extent, model.grid
        )
        sample.set_data(
            {f'teacher_labels{suffix}': model.codebook.assign(features)}
        )
    label_map = model.codebook.assign_map(taught[0].data)[0]
    sample.set_data(
        validation_figures(
            model, maps, maps2, points, points2, label_map, weights
        )
    )


def validation_figures(
    model: FGSN,
    maps: ImageMaps,
    maps2: ImageMaps,
    points: Tensor,
    points2: Tensor,
    label_map: Tensor,
    weights: Tensor,
) -> dict[str, Tensor]:
    """The authors' three figures of one pair, each a scalar tensor.

    Args:
        model: The segmentor.
        maps: Of the reference.
        maps2: Of the target.
        points: (N, 2) in the reference.
        points2: (N, 2) in the target.
        label_map: (h, w) teacher's labels of the reference.
        weights: (N,) exp(-distance from the image centre).

    Returns:
        ``val_loss_cluster``: cross entropies with the teacher's label, as in
        ``loss_corr``. ``val_loss_feat``: mean of weight times squared
        feature distance, at most 0.8^2 per channel. ``val_loss_out``: mean
        KL divergence of the target's from the reference's probabilities, in
        nats.
    """
    cells, cells2, kept = match_cells(
        points,
        points2,
        maps.extent,
        maps.logits.shape[-2:],
        model.grid,
        maps2.extent,
        maps2.logits.shape[-2:],
    )
    cluster = model.loss_corr.loss_of_pair(
        maps.logits,
        maps2.logits,
        points,
        points2,
        label_map,
        maps.extent,
        maps2.extent,
    )
    return dict(
        val_loss_cluster=cluster,
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
