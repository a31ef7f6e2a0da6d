from __future__ import annotations

from typing import Any

from mmengine.structures import PixelData
from torch import Tensor

from ...geometry import at_points
from ..pair_figures import validation_figures


def predict_pair(model: Any, img: Tensor, img2: Tensor, sample: Any) -> None:
    """Add to a sample the labels at its correspondences and the figures.

    Adds ``labels``, ``labels2`` (N,) int64, the student's labels at the
    sub-pixel points; ``pred_sem_seg``, ``pred_sem_seg2`` (1, h, w) int64 at
    feature resolution; with labels to learn also ``teacher_labels``,
    ``teacher_labels2``, the codebook's labels of the teacher's features, and
    the scalars of
    :func:`~fgsn_mmseg.models.pair_figures.validation_figures`.

    Args:
        model: An :class:`~fgsn_mmseg.models.FGSN`.
        img: (1, 3, H, W) reference.
        img2: (1, 3, H2, W2) target.
        sample: With ``points``, ``points2`` (N, 2) in pixels of these images
            and, optionally, ``point_weights`` (N,).
    """
    sample.set_metainfo({'num_clusters': model.num_clusters})
    points = (sample.points, sample.points2)
    maps = [model.image_maps(image) for image in (img, img2)]
    for suffix, one, where in zip(('', '2'), maps, points):
        logits = at_points(one.logits, where, one.extent, model.grid)
        labels = one.logits.argmax(0, keepdim=True)
        sample.set_data(
            {
                f'labels{suffix}': logits.argmax(1),
                f'pred_sem_seg{suffix}': PixelData(data=labels),
            }
        )
    if not model.has_labels:
        return
    codebook = model.labellers()[1]
    taught = [model.teacher_features(image) for image in (img, img2)]
    for suffix, blended, where in zip(('', '2'), taught, points):
        rows = at_points(blended.data[0], where, blended.extent, model.grid)
        sample.set_data({f'teacher_labels{suffix}': codebook.assign(rows)})
    sample.set_data(
        validation_figures(
            maps[0],
            maps[1],
            points[0],
            points[1],
            label_map=codebook.assign_map(taught[0].data)[0],
            weights=sample.get('point_weights'),
            grid=model.grid,
        )
    )
