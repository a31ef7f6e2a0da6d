from __future__ import annotations

import torch
from torch import Tensor

# Directions with a smaller share of the largest variance carry rounding
# errors only; whitening would blow them up.
MIN_VARIANCE_RATIO = 1e-10
# Features at a time: there may be a million, and double precision doubles
# their memory.
BLOCK = 1 << 15


def pca_whitening(features: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Principal axes, each scaled to unit variance.

    Paper: section 3 (eigenvalue power -0.5). A feature f becomes f @ A + b.

    Args:
        features: (M, C), M >= 2.
        dim: D <= C, number of axes kept, largest variance first.

    Returns:
        A (C, D) and b (D,), float32. Axes without variance are zero.
    """
    mean = features.mean(0, dtype=torch.float64)
    covariance = mean.new_zeros(len(mean), len(mean))
    for block in features.split(BLOCK):
        centred = block.double() - mean
        covariance.addmm_(centred.T, centred, alpha=1 / len(features))
    variances, axes = torch.linalg.eigh(covariance)  # ascending
    variances, axes = variances.flip(0)[:dim], axes.flip(1)[:, :dim]
    kept = variances > MIN_VARIANCE_RATIO * variances[0]
    scale = torch.where(kept, variances.clamp(min=1e-300).rsqrt(), 0.0)
    # The sign of an axis is arbitrary: make the largest entry positive.
    largest = axes.abs().argmax(0, keepdim=True)
    matrix = axes * axes.gather(0, largest).sign() * scale
    return matrix.float(), -(mean @ matrix).float()
