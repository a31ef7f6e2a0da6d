from __future__ import annotations

import torch
from torch import Tensor

# Directions with a smaller share of the largest variance carry rounding
# errors only; whitening would blow them up.
MIN_VARIANCE_RATIO = 1e-10


def pca_whitening(features: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Principal axes, each scaled to unit variance.

    Paper: section 3 (eigenvalue power -0.5). A feature f becomes f @ A + b.

    Args:
        features: (M, C), M >= 2.
        dim: D <= C, number of axes kept, largest variance first.

    Returns:
        A (C, D) and b (D,), float32. Axes without variance are zero.
    """
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    covariance = centred.T @ centred / len(features)
    variances, axes = torch.linalg.eigh(covariance)  # ascending
    variances, axes = variances.flip(0)[:dim], axes.flip(1)[:, :dim]
    kept = variances > MIN_VARIANCE_RATIO * variances[0]
    scale = torch.where(kept, variances.clamp(min=1e-300).rsqrt(), 0.0)
    # The sign of an axis is arbitrary: make the largest entry positive.
    largest = axes.abs().argmax(0, keepdim=True)
    matrix = axes * axes.gather(0, largest).sign() * scale
    return matrix.float(), -(mean @ matrix).float()
