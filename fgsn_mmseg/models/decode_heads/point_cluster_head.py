from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .cluster_head import ClusterHead, HeadMaps


class PointClusterHead(ClusterHead):
    """View on a ``PointHead``, the last stage of PointRend.

    The head classifies points. In training and validation these are the
    centres of the cells of the stage before, all of them. Prediction of
    images is mmseg's: it refines the map where it is unsure. The features
    are what enters the classifier less the coarse logits that mmseg puts
    beside it.
    """

    classifier = 'fc_seg'
    refines = True

    def __init__(
        self, head: Any, layer: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        layer = layer or f'fcs.{len(head.fcs) - 1}'
        super().__init__(head, layer, *args, **kwargs)

    def __call__(
        self, inputs: Any, previous: Tensor | None = None
    ) -> HeadMaps:
        """Run the head once, see :class:`ClusterHead`."""
        if previous is None:
            raise ValueError('PointHead should follow another decode head.')
        maps = super().__call__(inputs, previous)
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
        maps = self.head._transform_inputs(inputs)
        self.head(
            self.head._get_fine_grained_point_feats(maps, points),
            self.head._get_coarse_point_feats(previous, points),
        )
