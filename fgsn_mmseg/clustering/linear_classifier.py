from __future__ import annotations

import torch
from torch import Tensor

from .pca import second_moment

# Rows times K of one evaluation: bounds the time.
MAX_SCORES = 1 << 24
BATCH = 500
LEARNING_RATE = 0.05
# Smaller gradients of a logit are none: products with numbers as small as
# probabilities get take a processor many times as long.
MIN_GRADIENT = 1e-12


def fit_linear_classifier(
    inputs: Tensor,
    labels: Tensor,
    num_clusters: int,
    seed: int = 0,
    steps: int = 100,
    weight_decay: float = 1e-3,
    flatness: float = 0.2,
    max_rows: int = 10_000,
) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression: labels from what a classifier sees.

    Linear discriminants in the whitened space of the inputs, then Adam on
    the mean cross entropy, which needs few steps there. Time and memory are
    bounded: of more inputs than ``max_rows`` and 16 for each label, or than
    2^24 / K, that many are drawn.

    Args:
        inputs: (M, C) what enters the classifier.
        labels: (M,) int64 in 0..K-1.
        num_clusters: K.
        seed: Of the draws. Same seed and inputs give the same classifier.
        steps: Of Adam, with 500 inputs each.
        weight_decay: Times half the squared weights in the whitened space,
            added to the loss: keeps the logits of separable labels small. Of
            more than 100 labels it is the sum of 100 on average, so that it
            does not outweigh the labels.
        flatness: Added to the variances before they are whitened, as a share
            of their mean. Weights along directions in which the inputs hardly
            differ would be large otherwise, and so would the gradients that
            the classifier hands on.
        max_rows: Inputs that are used where 16 for each label are fewer.

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
    most = max(MAX_SCORES // num_clusters, num_clusters)
    rows = min(max(max_rows, 16 * num_clusters), most)
    generator = torch.Generator().manual_seed(seed)
    if len(inputs) > rows:
        drawn = torch.randperm(len(inputs), generator=generator)[:rows]
        inputs, labels = inputs[drawn], labels[drawn]
    inputs, labels = inputs.float(), labels.long()
    if not inputs.isfinite().all():
        raise ValueError(
            '`inputs` should be finite, but got NaN or infinite values. The '
            'network diverged: lower the learning rate.'
        )
    mean = inputs.mean(0, dtype=torch.float64)
    variances, axes = torch.linalg.eigh(second_moment(inputs, mean))
    level = flatness * variances.mean().clamp(min=1e-30)
    matrix = axes * (variances.clamp(min=0) + level).rsqrt()
    bias = -(mean @ matrix).float()
    matrix = matrix.float()
    white = inputs @ matrix + bias
    start = _discriminants(white, labels, num_clusters)
    decay = weight_decay * min(1, 100 / num_clusters)
    solution = _fit_white(white, labels, start, steps, decay, generator)
    weight, offset = solution[:, :-1], solution[:, -1]
    return weight @ matrix.T, offset + weight @ bias


def _discriminants(white: Tensor, labels: Tensor, num_clusters: int) -> Tensor:
    """Linear discriminants, were the spread within labels that of all inputs.

    Weights and, last, bias (K, D + 1) for inputs of unit covariance.
    """
    counts = torch.bincount(labels, minlength=num_clusters)
    shares = (counts + 0.1) / len(labels)
    means = white.new_zeros(num_clusters, white.shape[1])
    means.index_add_(0, labels, white)
    means /= counts.clamp(min=1)[:, None]
    bias = shares.log() - means.square().sum(1) / 2
    return torch.cat([means, bias[:, None]], 1)


@torch.no_grad()
def _fit_white(
    white: Tensor,
    labels: Tensor,
    start: Tensor,
    steps: int,
    decay: float,
    generator: torch.Generator,
) -> Tensor:
    """Go on from a classifier (K, D + 1) to one of less cross entropy."""
    solution = torch.nn.Parameter(start)
    rows = torch.cat([white, white.new_ones(len(white), 1)], 1)
    optimizer = torch.optim.Adam(
        [solution], lr=LEARNING_RATE, betas=(0.9, 0.99)
    )
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    batches: list[Tensor] = []
    for _ in range(steps):
        if not batches:
            order = torch.randperm(len(rows), generator=generator)
            batches = list(order.split(BATCH))
        batch = batches.pop(0)
        part = rows[batch]
        # The gradient of cross entropy by hand: see MIN_GRADIENT.
        errors = (part @ solution.T).softmax(1)
        errors.masked_fill_(errors < MIN_GRADIENT, 0)
        errors[torch.arange(len(part)), labels[batch]] -= 1
        gradient = errors.T @ part / len(part)
        gradient[:, :-1] += decay * solution[:, :-1]
        solution.grad = gradient
        optimizer.step()
        schedule.step()
    return solution.detach()
