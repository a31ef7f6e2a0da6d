from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import EMAHook, Hook
from mmseg.registry import HOOKS
from torch import Tensor

from .clustering_hook import unwrapped
from .pair_sampling import Seeds, drawn_pairs
from .seeding import shared_seed


@HOOKS.register_module()
class LogitAdjustmentHook(Hook):
    """Takes labels that are hardly predicted into use, after the training.

    Post-hoc logit adjustment (Menon et al., ICLR 2021, section 4): right
    after the last iteration the logits of the main head lose ``tau`` times
    the logarithm of K p, p being the mean of the network's softmax outputs
    over crops of training pairs, both images. A label that is predicted as
    often as an equal share keeps its logit. The change goes into the bias of
    the classifier, so that the last checkpoint has it; validations before do
    not see it. A model that an ``EMAHook`` averages is adjusted likewise.

    Labels that are even are not labels that tell more: see the figures in
    the documentation.

    Args:
        tau: Factor of the logarithm. 0 changes nothing.
        num_pairs: Training pairs that are looked at, at most.
    """

    # After an EMAHook, before checkpoints.
    priority = 'BELOW_NORMAL'

    def __init__(self, tau: float = 1.0, num_pairs: int = 400) -> None:
        if tau < 0:
            raise ValueError(f'`tau` should be at least 0, but got {tau!r}.')
        if num_pairs < 1:
            raise ValueError(
                f'`num_pairs` should be positive, but got {num_pairs!r}.'
            )
        self.tau = tau
        self.num_pairs = num_pairs
        self.seed = 0

    def before_train(self, runner: Any) -> None:
        """Refuse a model without such a classifier; agree on a seed.

        Raises:
            TypeError: The classifier of the main head has no bias.
        """
        main_bias(unwrapped(runner.model))
        self.seed = shared_seed(runner.seed)

    def after_train_iter(self, runner: Any, *_: Any, **__: Any) -> None:
        """Adjust the logits if it was the last iteration."""
        if not self.is_last_train_iter(runner):
            return
        seeds = (self.seed, runner.max_iters)
        for model in (unwrapped(runner.model), *averaged_models(runner)):
            shares = mean_assignment(runner, model, self.num_pairs, seeds)
            bias = main_bias(model)
            bias.data += adjustment(shares, self.tau).to(bias)


def averaged_models(runner: Any) -> Iterator[Any]:
    """The models that the run's ``EMAHook`` average."""
    for hook in runner.hooks:
        if isinstance(hook, EMAHook):
            yield unwrapped(hook.ema_model.module)


def main_bias(model: Any) -> Tensor:
    """Bias (K,) of the classifier whose output are the model's logits."""
    head = getattr(model, 'main_head', None)
    layer = getattr(head, getattr(head, 'main_classifier', ''), None)
    bias = getattr(layer, 'bias', None)
    if bias is None:
        raise TypeError(
            'The model of LogitAdjustmentHook should have a main head whose '
            f'classifier has a bias, but got {type(model).__name__} with '
            f'{type(head).__name__}. Leave the hook out.'
        )
    return bias


def adjustment(shares: Tensor, tau: float = 1.0) -> Tensor:
    """What to add to the logits: -tau log(K p).

    Args:
        shares: p, (K,), sums to 1. A share below 1e-4 / K counts as that.
        tau: Factor.

    Returns:
        (K,).
    """
    count = len(shares)
    return -tau * (count * shares).clamp(min=1e-4).log()


@torch.no_grad()
def mean_assignment(
    runner: Any, model: Any, num_pairs: int, seeds: Seeds
) -> Tensor:
    """Mean of the softmax outputs over crops of training pairs.

    Args:
        runner: See :func:`~fgsn_mmseg.engine.pair_sampling.drawn_pairs`.
        model: With ``logit_map``.
        num_pairs: See there.
        seeds: See there.

    Returns:
        (K,) float64, the same on all ranks.
    """
    training = model.training
    model.eval()
    # The last one counts the cells.
    sums = main_bias(model).new_zeros(model.num_clusters + 1).double()
    for _, data in drawn_pairs(runner, model, num_pairs, seeds):
        for key in ('img', 'img2'):
            logits = model.logit_map(data['inputs'][key]).data
            assignment = logits.float().softmax(1).movedim(1, -1)
            assignment = assignment.flatten(0, -2)
            sums[:-1] += assignment.double().sum(0)
            sums[-1] += len(assignment)
    model.train(training)
    all_reduce(sums)
    return sums[:-1] / sums[-1]
