from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...geometry import Size, at_cells, check_grid, match_cells


def symmetric_divergence(logits: Tensor, logits2: Tensor) -> Tensor:
    """Mean of (KL(p || q) + KL(q || p)) / 2, nats; zero for N = 0.

    Args:
        logits: (N, K), of which p is the softmax.
        logits2: (N, K), of which q is the softmax.
    """
    if len(logits) == 0:
        return (logits.sum() + logits2.sum()) * 0
    first = logits.float().log_softmax(1)
    second = logits2.float().log_softmax(1)
    # Both divergences in one: sum of (p - q) (log p - log q).
    terms = (first.exp() - second.exp()) * (first - second)
    return terms.sum(1).mean() / 2


@MODELS.register_module()
class ConsistencyLoss(nn.Module):
    """Both images of a correspondence should get the same probabilities.

    The symmetric Kullback-Leibler divergence of the two softmax outputs
    (R-Drop, Liang et al., NeurIPS 2021, equation 2, there of two dropouts of
    one input, here of two conditions of one place), averaged over the pairs
    of a batch. It asks for no label, so cells that have none count too;
    alone it is least for a network that says the same everywhere. Where only
    one image of a pair carries the gradient, the other is run without.

    Args:
        grid: How cells cover the image, see :mod:`fgsn_mmseg.geometry`.
        loss_weight: Weight of the loss.
        loss_name: Its name in the log.
    """

    compares = True

    def __init__(
        self,
        grid: str = 'corners',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_consistency',
    ) -> None:
        super().__init__()
        self.grid = check_grid(grid)
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor | Sequence[Tensor],
        logits2: Tensor | Sequence[Tensor],
        points: Sequence[Tensor],
        points2: Sequence[Tensor],
        label_map: Tensor | None,
        crop_size: Size,
    ) -> Tensor:
        """Compute the loss.

        Args:
            logits: (B, K, h, w) of the references, or B maps (K, h, w).
            logits2: The same of the targets.
            points: B tensors (N, 2), x and y in pixels of the reference.
            points2: B tensors (N, 2) in pixels of the target.
            label_map: Not looked at.
            crop_size: (H, W) of the images.

        Returns:
            Scalar.
        """
        losses = []
        for one, two, first, second in zip(logits, logits2, points, points2):
            cells, cells2, _ = match_cells(
                first,
                second,
                crop_size,
                one.shape[-2:],
                self.grid,
                map_size2=two.shape[-2:],
            )
            losses.append(
                symmetric_divergence(
                    at_cells(one, cells), at_cells(two, cells2)
                )
            )
        return self.loss_weight * torch.stack(losses).mean()
