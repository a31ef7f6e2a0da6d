from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .cluster_head import VARIANTS, ClusterHead
from .head_maps import HeadMaps, draw


class SegmenterClusterHead(ClusterHead):
    """A ``SegmenterMaskTransformerHead`` with clusters.

    Its classifier is a token for each cluster: a logit is the cosine of a
    patch's and a token's projection, normalised over the clusters. The
    features are the patches' projections, before the cosine.
    """

    main_classifier = 'mask_norm'
    default_layer = 'patch_proj'
    cls_emb: nn.Parameter
    mask_norm: nn.LayerNorm

    def classifiers(self) -> dict[str, Any]:
        """The normalisation that gives the logits."""
        return {self.main_classifier: self.mask_norm}

    def cluster_maps(
        self, inputs: Any, previous: Tensor | None = None
    ) -> HeadMaps:
        """Run the head once, see :class:`ClusterHead`."""
        maps = super().cluster_maps(inputs, previous)
        size = self._transform_inputs(inputs).shape[-2:]
        count = size[0] * size[1]
        features, logits = (
            tokens[:, :count].transpose(1, 2).unflatten(2, size)
            for tokens in (maps.features, maps.logits)
        )
        return replace(maps, features=features, logits=logits)

    @torch.no_grad()
    def redraw(
        self, generator: torch.Generator, std: float = 0.01
    ) -> list[nn.Parameter]:
        """Draw the clusters' tokens anew; their normalisation starts anew."""
        draw(self.cls_emb, generator, std)
        self.mask_norm.reset_parameters()
        return [self.cls_emb, *self.mask_norm.parameters()]

    def drop_classifiers(self) -> None:
        """The tokens take part in the attention: nothing can be dropped."""


VARIANTS['SegmenterMaskTransformerHead'] = SegmenterClusterHead
