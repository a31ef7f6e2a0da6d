from __future__ import annotations

import torch
from torch import Tensor

# Directions with a smaller share of the largest variance carry rounding
# errors only; whitening would blow them up.
MIN_VARIANCE_RATIO = 1e-10
# Features at a time: there may be a million, and double precision doubles
# their memory.
BLOCK = 1 << 15


def second_moment(rows: Tensor, centre: Tensor) -> Tensor:
    """Mean outer product of rows less a centre, in double precision.

    Args:
        rows: (M, C).
        centre: (C,) float64, their mean for a covariance.

    Returns:
        (C, C) float64.
    """
    moment = centre.new_zeros(len(centre), len(centre))
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK].double() - centre
        moment.addmm_(block.T, block, alpha=1 / len(rows))
    return moment


def fix_signs(axes: Tensor) -> Tensor:
    """Make the largest entry of each column of (C, D) positive.

    The sign of an axis is arbitrary, and another version of LAPACK may choose
    the other one.
    """
    largest = axes.abs().argmax(0, keepdim=True)
    return axes * axes.gather(0, largest).sign()


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
    variances, axes = torch.linalg.eigh(second_moment(features, mean))
    # Ascending.
    variances, axes = variances.flip(0)[:dim], axes.flip(1)[:, :dim]
    kept = variances > MIN_VARIANCE_RATIO * variances[0]
    scale = torch.where(kept, variances.clamp(min=1e-300).rsqrt(), 0.0)
    matrix = fix_signs(axes) * scale
    return matrix.float(), -(mean @ matrix).float()
