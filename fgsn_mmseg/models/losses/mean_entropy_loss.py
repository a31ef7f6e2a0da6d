from __future__ import annotations

import math
from collections.abc import Sequence

from mmseg.registry import MODELS
from torch import Tensor, nn, stack


@MODELS.register_module()
class MeanEntropyLoss(nn.Module):
    """All labels should be used: the mean assignment should be even.

    log(K) less the entropy of the mean of the softmax outputs, the second
    part of regularised information maximisation (Krause et al., NeurIPS
    2010, equation 3; as a loss in SCAN, Van Gansbeke et al., ECCV 2020,
    equation 2). The mean is over all cells of the batch's images that are
    run, with a label or without; points and labels are not looked at. A
    crop shows few things: give it a small weight where K is large.

    Args:
        grid: Not looked at.
        loss_weight: Weight of the loss.
        loss_name: Its name in the log.
    """

    def __init__(
        self,
        grid: str = 'corners',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_entropy',
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor | Sequence[Tensor | None],
        logits2: Tensor | Sequence[Tensor | None],
        *_: object,
    ) -> Tensor:
        """Compute the loss.

        Args:
            logits: (B, K, h, w) of the references, or B maps (K, h, w), None
                for an image that was not run.
            logits2: The same of the targets.

        Returns:
            Scalar in nats, at least 0, at most ``loss_weight`` log(K).
        """
        maps = [one for one in (*logits, *logits2) if one is not None]
        means = [one.float().softmax(0).mean((1, 2)) for one in maps]
        mean = stack(means).mean(0)
        # A label that is nowhere: 0 log 0 is 0, its gradient has to end.
        entropy = -(mean * mean.clamp(min=1e-12).log()).sum()
        return self.loss_weight * (math.log(len(mean)) - entropy)
