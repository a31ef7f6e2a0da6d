from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.registry import MODELS
from torch import Tensor

from ...geometry import Size
from .correspondence_loss import CorrespondenceLoss


@MODELS.register_module()
class PrototypeContrastiveLoss(CorrespondenceLoss):
    """Features of both images should be near the reference's centroid.

    InfoNCE over the centroids of the codebook (ProtoNCE, Li et al., ICLR
    2021, equation 11, with one temperature for all): the cross entropy of
    softmax(similarities / temperature), where the similarity of a feature,
    whitened and normalised, is what decides about its label, half its negative
    squared distance to each centroid. It is taken at the cells of
    :class:`CorrespondenceLoss`, in both images with the label of the
    reference; labels that are none are ignored in the same way.

    For ``loss_feat`` of the main decode head, whose features are clustered.

    Args:
        temperature: In units of the similarity; PCL and SwAV have 0.1.
        grid: How cells cover the image, see :mod:`fgsn_mmseg.geometry`.
        loss_weight: Weight of the loss.
        loss_name: Its name in the log.
    """

    compares = False
    of_codebook = True

    def __init__(
        self,
        temperature: float = 0.1,
        grid: str = 'corners',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_proto',
    ) -> None:
        super().__init__(grid, loss_weight, loss_name)
        if temperature <= 0:
            raise ValueError(
                f'`temperature` should be positive, but got {temperature}.'
            )
        self.temperature = temperature

    def forward(  # type: ignore[override]
        self,
        features: Tensor | Sequence[Tensor | None],
        features2: Tensor | Sequence[Tensor | None],
        points: Sequence[Tensor],
        points2: Sequence[Tensor],
        label_map: Tensor,
        crop_size: Size,
        codebook: Any,
    ) -> Tensor:
        """Compute the loss.

        Args:
            features: (B, C, h, w) of the references, or B maps (C, h, w),
                None for an image that was not run.
            features2: The same of the targets.
            points: See :class:`CorrespondenceLoss`.
            points2: See there.
            label_map: See there.
            crop_size: See there.
            codebook: The :class:`~fgsn_mmseg.clustering.Codebook` of the
                labels, without a gradient.

        Returns:
            Scalar.
        """
        if codebook is None:
            raise ValueError(
                f'{type(self).__name__} should be in `loss_feat` of the main '
                'decode head of an FGSN, whose features are clustered, but '
                'got a head without a codebook. Move it there.'
            )

        def similarities(one: Tensor | None) -> Tensor | None:
            if one is None:
                return None
            scores = codebook.scores(one.flatten(1).T) / self.temperature
            return scores.T.unflatten(1, one.shape[-2:])

        return super().forward(
            [similarities(one) for one in features],
            [similarities(one) for one in features2],
            points,
            points2,
            label_map,
            crop_size,
        )
