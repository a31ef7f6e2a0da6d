from __future__ import annotations

import math

import torch
from torch import Tensor


def sinkhorn(
    scores: Tensor,
    epsilon: float = 0.05,
    iterations: int = 3,
    spare: float = 0.0,
) -> Tensor:
    """Share rows out among clusters so that all get equally much.

    Cuturi 2013; as labels: Asano et al. 2020, Caron et al. 2020 (SwAV, whose
    values the defaults are). The rows' assignments maximise the scores plus
    ``epsilon`` times their entropy.

    Args:
        scores: (M, K), higher is better, e.g. cosines.
        epsilon: Softness, in the units of the scores.
        iterations: Each scales columns, then rows: rows are exact, columns
            the more so the more iterations there are.
        spare: Share of all rows, in [0, 1), that need no label: what rows
            give to a further column, whose scores are all alike.

    Returns:
        (M, K) float32, at least 0. What is missing to 1 in a row went to
        the spare column; columns sum to (1 - spare) M / K.

    Raises:
        ValueError: A parameter is out of its range.
    """
    if epsilon <= 0 or iterations < 1 or not 0 <= spare < 1:
        raise ValueError(
            '`epsilon` should be positive, `iterations` at least 1 and '
            f'`spare` in [0, 1), but got {epsilon}, {iterations} and {spare}.'
        )
    count, clusters = scores.shape
    plan = scores.float() / epsilon
    wanted = plan.new_full((clusters,), math.log((1 - spare) / clusters))
    if spare:
        # Which score they have is scaled away.
        plan = torch.cat([plan, plan.new_zeros(count, 1)], 1)
        wanted = torch.cat([wanted, wanted.new_tensor([math.log(spare)])])
    wanted = wanted + math.log(max(count, 1))
    for _ in range(iterations):
        plan = plan + (wanted - plan.logsumexp(0))
        plan = plan - plan.logsumexp(1, keepdim=True)
    return plan[:, :clusters].exp()


def balanced_labels(
    scores: Tensor,
    epsilon: float = 0.05,
    iterations: int = 3,
    spare: float = 0.0,
) -> Tensor:
    """Label of each row by :func:`sinkhorn`.

    Args:
        scores: (M, K).
        epsilon: See there.
        iterations: See there.
        spare: See there.

    Returns:
        (M,) int64 in 0..K-1, or -1 where the spare column has the most.
    """
    plan = sinkhorn(scores, epsilon, iterations, spare)
    best, labels = plan.max(1)
    return labels.masked_fill(1 - plan.sum(1) > best, -1)
