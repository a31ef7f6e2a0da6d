from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .cluster_head import ClusterHead, HeadMaps, draw


class SegmenterClusterHead(ClusterHead):
    """View on a ``SegmenterMaskTransformerHead``.

    Its classifier is a token for each cluster: a logit is the cosine of a
    patch's and a token's projection, normalised over the clusters. The
    features are the patches' projections, before the cosine.
    """

    classifier = 'mask_norm'

    def __init__(
        self, head: Any, layer: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(head, layer or 'patch_proj', *args, **kwargs)

    def classifiers(self) -> dict[str, Any]:
        """The normalisation that gives the logits."""
        return {self.classifier: self.head.mask_norm}

    def __call__(
        self, inputs: Any, previous: Tensor | None = None
    ) -> HeadMaps:
        """Run the head once, see :class:`ClusterHead`."""
        maps = super().__call__(inputs, previous)
        size = self.head._transform_inputs(inputs).shape[-2:]
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
        draw(self.head.cls_emb, generator, std)
        self.head.mask_norm.reset_parameters()
        return [self.head.cls_emb, *self.head.mask_norm.parameters()]

    def drop_classifiers(self) -> None:
        """The tokens take part in the attention: nothing can be dropped."""
