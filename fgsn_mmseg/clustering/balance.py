from __future__ import annotations

import math

import torch
from torch import Tensor


def check_balance(epsilon: float, iterations: int, spare: float) -> None:
    """Raise ValueError for a parameter out of its range."""
    if epsilon <= 0 or iterations < 1 or not 0 <= spare < 1:
        raise ValueError(
            '`epsilon` should be positive, `iterations` at least 1 and '
            f'`spare` in [0, 1), but got {epsilon}, {iterations} and {spare}.'
        )


def column_offsets(
    scores: Tensor,
    epsilon: float = 0.05,
    iterations: int = 3,
    spare: float = 0.0,
    start: Tensor | None = None,
) -> Tensor:
    """What to add to each cluster's scores so that all get equally many rows.

    Cuturi 2013; as labels: Asano et al. 2020, Caron et al. 2020 (SwAV, whose
    values the defaults are). The assignment softmax(scores / epsilon +
    offsets) of the rows maximises the scores plus ``epsilon`` times its
    entropy, under the condition that columns sum alike.

    Args:
        scores: (M, K), higher is better, e.g. cosines.
        epsilon: Softness, in the units of the scores.
        iterations: Each scales rows, then columns: the more there are, the
            more alike the columns become.
        spare: Share of all rows, in [0, 1), that need no label: what rows
            give to a further column, whose scores are all 0.
        start: (K + 1,) offsets to begin with, those of similar rows. Defaults
            to zeros.

    Returns:
        (K + 1,) float32, the last of the spare column: -inf without one.

    Raises:
        ValueError: A parameter is out of its range.
    """
    check_balance(epsilon, iterations, spare)
    count, clusters = scores.shape
    plan = scores.float() / epsilon
    offsets = plan.new_zeros(clusters + 1) if start is None else start.clone()
    wanted = torch.full_like(offsets, math.log((1 - spare) / clusters))
    wanted[-1] = math.log(spare) if spare else -math.inf
    wanted += math.log(max(count, 1))
    for number in range(iterations):
        if number or start is not None:
            rows = -_softmax_sums(plan, offsets)
        else:
            rows = plan.new_zeros(count)
        # The spare column: no score, so all rows have the same.
        offsets[:-1] = (plan + rows[:, None]).logsumexp(0)
        offsets[-1] = rows.logsumexp(0)
        offsets = wanted - offsets
    return offsets


def _softmax_sums(plan: Tensor, offsets: Tensor) -> Tensor:
    """Logarithm of the sums of rows, the spare column among them: (M,)."""
    sums = (plan + offsets[:-1]).logsumexp(1)
    return torch.logaddexp(sums, offsets[-1])


def sinkhorn(
    scores: Tensor,
    epsilon: float = 0.05,
    iterations: int = 3,
    spare: float = 0.0,
) -> Tensor:
    """Share rows out among clusters so that all get equally much.

    Args:
        scores: (M, K), see :func:`column_offsets`.
        epsilon: See there.
        iterations: See there.
        spare: See there.

    Returns:
        (M, K) float32, at least 0. What is missing to 1 in a row went to
        the spare column; columns sum to (1 - spare) M / K, the more exactly
        the more iterations there are.
    """
    offsets = column_offsets(scores, epsilon, iterations, spare)
    plan = scores.float() / epsilon + offsets[:-1]
    sums = torch.logaddexp(plan.logsumexp(1), offsets[-1])
    return (plan - sums[:, None]).exp()


def balanced_labels(scores: Tensor, epsilon: float, offsets: Tensor) -> Tensor:
    """The column of each row that has the most of it.

    Args:
        scores: (M, K).
        epsilon: Softness for which the offsets were found.
        offsets: (K + 1,) of :func:`column_offsets`.

    Returns:
        (M,) int64 in 0..K-1, or -1 where the spare column has the most.
    """
    best, labels = (scores.float() / epsilon + offsets[:-1]).max(1)
    return labels.masked_fill(best < offsets[-1], -1)
