from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .cluster_head import VARIANTS, ClusterHead
from .head_maps import HeadMaps


class PointClusterHead(ClusterHead):
    """A ``PointHead``, the last stage of PointRend, with clusters.

    The head classifies points. In training and validation these are the
    centres of the cells of the stage before, all of them. Prediction of
    images is mmseg's: it refines the map where it is unsure. The features
    are what enters the classifier less the coarse logits that mmseg puts
    beside it.
    """

    main_classifier = 'fc_seg'
    refines_points = True
    fcs: nn.ModuleList

    @property
    def default_layer(self) -> str:  # type: ignore[override]
        """The last layer before the classifier."""
        return f'fcs.{len(self.fcs) - 1}'

    def cluster_maps(
        self, inputs: Any, previous: Tensor | None = None
    ) -> HeadMaps:
        """Run the head once, see :class:`ClusterHead`."""
        if previous is None:
            raise ValueError('PointHead should follow another decode head.')
        maps = super().cluster_maps(inputs, previous)
        features, logits = (
            points.unflatten(2, previous.shape[-2:])
            for points in (maps.features, maps.logits)
        )
        return replace(maps, features=features, logits=logits)

    def _run(self, inputs: Any, previous: Any) -> None:
        """Classify the centres of all cells."""
        batch, _, height, width = previous.shape
        y, x = (
            (torch.arange(cells, device=previous.device) + 0.5) / cells
            for cells in (height, width)
        )
        grid = torch.stack(torch.meshgrid(x, y, indexing='xy'), -1)
        points = grid.reshape(1, -1, 2).expand(batch, -1, -1)
        points = points.to(previous.dtype)
        maps = self._transform_inputs(inputs)
        self(
            self._get_fine_grained_point_feats(maps, points),
            self._get_coarse_point_feats(previous, points),
        )

    def loss_by_feat(self, *args: Any, **kwargs: Any) -> dict:  # type: ignore[override]
        """Mmseg's own: it samples points of label maps of any size."""
        return self.wrapped.loss_by_feat(self, *args, **kwargs)  # type: ignore[attr-defined]


VARIANTS['PointHead'] = PointClusterHead
