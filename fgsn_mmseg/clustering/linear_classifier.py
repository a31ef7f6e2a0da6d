from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .pca import pca_whitening

# Rows times K of one evaluation: bounds the time.
MAX_SCORES = 1 << 24
# Of one block: 16 MB of float32.
MAX_BLOCK = 1 << 22


def fit_linear_classifier(
    inputs: Tensor,
    labels: Tensor,
    num_clusters: int,
    seed: int = 0,
    steps: int = 20,
    weight_decay: float = 1e-4,
    max_rows: int = 20_000,
) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression: labels from what a classifier sees.

    L-BFGS on the mean cross entropy in the whitened space of the inputs,
    where it needs few steps. Time and memory are bounded: of more inputs
    than ``max_rows``, or than 2^24 / K, that many are drawn.

    Args:
        inputs: (M, C) what enters the classifier.
        labels: (M,) int64 in 0..K-1.
        num_clusters: K.
        seed: Of the draw. Same seed and inputs give the same classifier.
        steps: Of L-BFGS.
        weight_decay: Times half the squared weights in the whitened space,
            added to the loss: keeps the logits of separable labels small.
        max_rows: Upper limit of the inputs that are used.

    Returns:
        Weight (K, C) and bias (K,), float32. A label without any input has
        a low bias: nothing is given it.

    Raises:
        ValueError: The shapes do not fit or a value is not finite.
    """
    if inputs.ndim != 2 or labels.shape != inputs.shape[:1] or not len(labels):
        raise ValueError(
            '`inputs` should be (M, C) and `labels` (M,) with M >= 1, but got '
            f'{tuple(inputs.shape)} and {tuple(labels.shape)}.'
        )
    rows = min(max_rows, max(MAX_SCORES // num_clusters, num_clusters))
    if len(inputs) > rows:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randperm(len(inputs), generator=generator)[:rows]
        inputs, labels = inputs[drawn], labels[drawn]
    inputs, labels = inputs.float(), labels.long()
    if not inputs.isfinite().all():
        raise ValueError(
            '`inputs` should be finite, but got NaN or infinite values. The '
            'network diverged: lower the learning rate.'
        )
    matrix, bias = pca_whitening(inputs, inputs.shape[1])
    white = inputs @ matrix + bias
    solution = _fit_white(white, labels, num_clusters, steps, weight_decay)
    weight, offset = solution[:, :-1], solution[:, -1]
    return weight @ matrix.T, offset + weight @ bias


def _fit_white(
    white: Tensor,
    labels: Tensor,
    num_clusters: int,
    steps: int,
    weight_decay: float,
) -> Tensor:
    """Weights and, last, bias (K, D + 1) for inputs of unit covariance."""
    counts = torch.bincount(labels, minlength=num_clusters)
    shares = (counts + 0.1) / len(labels)
    means = white.new_zeros(num_clusters, white.shape[1])
    means.index_add_(0, labels, white)
    means /= counts.clamp(min=1)[:, None]
    # Linear discriminants, were the spread within labels that of all inputs.
    start = shares.log() - means.square().sum(1) / 2
    solution = torch.cat([means, start[:, None]], 1).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [solution],
        max_iter=steps,
        max_eval=steps + steps // 4,
        history_size=10,
        tolerance_grad=1e-6,
        line_search_fn='strong_wolfe',
    )
    block = max(1, MAX_BLOCK // num_clusters)

    def closure() -> Tensor:
        optimizer.zero_grad()
        penalty = solution[:, :-1].square().sum() * (weight_decay / 2)
        penalty.backward()
        total = penalty.detach()
        for part, wanted in zip(white.split(block), labels.split(block)):
            logits = part @ solution[:, :-1].T + solution[:, -1]
            loss = F.cross_entropy(logits, wanted, reduction='sum')
            loss = loss / len(white)
            loss.backward()
            total = total + loss.detach()
        return total

    with torch.enable_grad():
        optimizer.step(closure)  # type: ignore[arg-type]
    return solution.detach()
