from __future__ import annotations

from typing import Any

import torch
from mmseg.models.losses import CrossEntropyLoss
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class PriorCorrectedLoss(CrossEntropyLoss):
    """Cross entropy that does not reward predicting frequent labels.

    Logit adjustment (Menon et al., ICLR 2021, section 5.2): the logarithm of
    the labels' shares is added to the logits, so that the logits themselves
    need not say how frequent a label is, and rare labels are not given up.
    The shares are a running mean over the batches since the last clustering.

    For ``loss_decode`` of a :class:`~fgsn_mmseg.models.ClusterHead`, which
    says how many labels there are. In a distributed run each rank has shares
    of its own until the next clustering, and a checkpoint has those of rank 0.

    Args:
        tau: Factor of the logarithm. 0 gives plain cross entropy.
        momentum: Share of a batch in the running mean, in (0, 1].
        **kwargs: ``loss_weight``, ``loss_name``, ``class_weight`` and
            ``avg_non_ignore`` of mmseg's ``CrossEntropyLoss``.
    """

    prior: Tensor

    def __init__(
        self, tau: float = 1.0, momentum: float = 0.01, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < momentum <= 1:
            raise ValueError(
                f'`momentum` should be in (0, 1], but got {momentum}.'
            )
        self.tau = tau
        self.momentum = momentum
        self.register_buffer('prior', torch.zeros(0))

    def set_num_classes(self, num_classes: int) -> None:
        """Make room for K labels, equally frequent so far."""
        self.prior = self.prior.new_full((num_classes,), 1 / num_classes)

    def forget_labels(self) -> None:
        """Start again: there are new labels."""
        self.prior.fill_(1 / max(len(self.prior), 1))

    def forward(
        self, cls_score: Tensor, label: Tensor, *args: Any, **kwargs: Any
    ) -> Tensor:
        """Compute the loss.

        Args:
            cls_score: (B, K, h, w) logits.
            label: (B, h, w) int64; labels that are not in 0..K-1 are left
                out of the shares.
            *args: Of ``CrossEntropyLoss``.
            **kwargs: The same.

        Returns:
            Scalar.
        """
        count = cls_score.shape[1]
        if len(self.prior) != count:
            self.set_num_classes(count)
            self.prior = self.prior.to(cls_score.device)
        with torch.no_grad():
            known = label[(label >= 0) & (label < count)]
            if self.training and len(known):
                counts = torch.bincount(known, minlength=count)
                shares = counts / len(known)
                self.prior.lerp_(shares.to(self.prior), self.momentum)
            # A label that is hardly ever there: the logarithm has to end.
            offset = self.tau * self.prior.clamp(min=1e-4 / count).log()
        adjusted = cls_score + offset.to(cls_score.dtype)[:, None, None]
        return super().forward(adjusted, label, *args, **kwargs)
