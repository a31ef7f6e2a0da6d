from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry import resample_labels


def dense_loss(
    logits: Tensor | Sequence[Tensor | None], labels: Tensor, grid: str
) -> Tensor:
    """``loss_seg``: mean CE of the references with their label maps.

    Paper: section 3. Logits stay at feature resolution. Averaged over the
    pairs of a batch.

    Args:
        logits: (B, K, h, w), or B maps (K, h, w), None where the reference
            was not run; such a pair counts as zero.
        labels: (B, h', w') int64 cluster labels.
        grid: See :mod:`fgsn_mmseg.geometry`.

    Returns:
        Scalar.
    """
    losses = []
    for one, label_map in zip(logits, labels):
        if one is None:
            losses.append(torch.zeros((), device=labels.device))
            continue
        target = resample_labels(label_map[None], one.shape[-2:], grid)
        losses.append(F.cross_entropy(one[None], target).float())
    return torch.stack(losses).mean()
