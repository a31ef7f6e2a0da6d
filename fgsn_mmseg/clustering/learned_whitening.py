from __future__ import annotations

import torch
from torch import Tensor

from .pca import BLOCK, MIN_VARIANCE_RATIO, fix_signs, second_moment


def difference_moment(first: Tensor, second: Tensor) -> Tensor:
    """Mean outer product of the differences of rows (N, C): (C, C) float64.

    Products are of single precision, in half the time: their errors are far
    below the regularisation, and there is no large mean to cancel.
    """
    moment = first.new_zeros(2 * first.shape[1:], dtype=torch.float64)
    for one, two in zip(first.split(BLOCK), second.split(BLOCK)):
        block = one - two
        moment += block.T @ block
    return moment / len(first)


def learned_whitening(
    features: Tensor,
    pairs: tuple[Tensor, Tensor],
    dim: int,
    regularization: float = 0.02,
) -> tuple[Tensor, Tensor]:
    """Axes along which places differ most, conditions least.

    Mikolajczyk and Matas, ICCV 2007; Radenovic et al., TPAMI 2019, section
    3.2: whiten by the covariance of the differences of corresponding
    features, then PCA of all features in that space. Both steps in one: the
    generalised eigenvectors of the two matrices. A feature f becomes
    f @ A + b.

    Args:
        features: (M, C), M >= 2, of all places.
        pairs: (N, C) and (N, C) features of the same points under two
            conditions, N >= 1. Their mean difference is not taken away: what
            a condition adds everywhere is to be suppressed too.
        dim: D <= C, number of axes kept, the largest ratio of the variance of
            all features to that of the differences first.
        regularization: What is added to the variance of the differences in
            every direction, as a share of its mean over the directions.
            Needed where N < C, or where channels never differ.

    Returns:
        A (C, D) and b (D,), float32. Differences have unit second moment
        (less by the regularisation) along each axis, features the larger the
        better an axis tells places apart. Axes without variance are zero.

    Raises:
        ValueError: The shapes do not fit, ``regularization`` is not positive,
            a value is not finite or all differences are zero.
    """
    first, second = pairs
    if first.ndim != 2 or first.shape != second.shape or not len(first):
        raise ValueError(
            '`pairs` should be two arrays of one shape (N, C) with N >= 1, '
            f'but got {tuple(first.shape)} and {tuple(second.shape)}.'
        )
    if first.shape[1] != features.shape[1]:
        raise ValueError(
            f'`pairs` should have the {features.shape[1]} channels of the '
            f'features, but got {first.shape[1]}.'
        )
    if regularization <= 0:
        raise ValueError(
            f'`regularization` should be positive, but got {regularization}.'
        )
    mean = features.mean(0, dtype=torch.float64)
    total = second_moment(features, mean)
    within = difference_moment(first, second)
    level = within.diagonal().mean()
    if not level.isfinite() or level <= 0:
        raise ValueError(
            '`pairs` should be finite features of two conditions that '
            f'differ, but their mean squared difference is {float(level)}. '
            'Give correspondences between different images.'
        )
    within.diagonal().add_(regularization * level)
    # within = L L^T; eigenvectors u of L^-1 total L^-T give L^-T u.
    factor = torch.linalg.cholesky(within)
    half = torch.linalg.solve_triangular(factor, total, upper=False)
    ratio = torch.linalg.solve_triangular(factor, half.T, upper=False)
    ratios, axes = torch.linalg.eigh((ratio + ratio.T) / 2)  # ascending
    ratios, axes = ratios.flip(0)[:dim], axes.flip(1)[:, :dim]
    axes = torch.linalg.solve_triangular(factor.T, axes, upper=True)
    matrix = fix_signs(axes) * (ratios > MIN_VARIANCE_RATIO * ratios[0])
    return matrix.float(), -(mean @ matrix).float()
