from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from mmseg.registry import HOOKS
from torch import Tensor

from ..clustering import FeatureReservoir, column_offsets
from .clustering_hook import unwrapped
from .gathering import gather
from .new_labels import averaged_models
from .pair_sampling import Seeds, drawn_pairs
from .seeding import derive_seed, shared_seed

# Cells times K: bounds time and memory.
MAX_LOGITS = 1 << 24
MAX_CELLS = 20_000
ITERATIONS = 50


@HOOKS.register_module()
class EquipartitionHook(Hook):
    """Takes labels that are hardly predicted into use, after the training.

    Right after the last iteration each label's logit is shifted so that the
    mean of the softmax outputs, over both images of training pairs, is the
    same for all labels: Sinkhorn's scaling, as Asano et al. (ICLR 2020)
    share images out among labels. The shift goes into the bias of the main
    head's classifier, so the last checkpoint and the last validation have
    it; those before do not. A model that an ``EMAHook`` averages gets a
    shift of its own.

    Labels that are even are not labels that tell more: see the figures in
    the documentation.

    Args:
        strength: Factor of the shift. 0 changes nothing.
        num_pairs: Training pairs that are looked at, at most.
    """

    # After an EMAHook, before checkpoints.
    priority = 'BELOW_NORMAL'

    def __init__(self, strength: float = 1.0, num_pairs: int = 400) -> None:
        if strength < 0:
            raise ValueError(
                f'`strength` should be at least 0, but got {strength!r}.'
            )
        if num_pairs < 1:
            raise ValueError(
                f'`num_pairs` should be positive, but got {num_pairs!r}.'
            )
        self.strength = strength
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
        """Shift the logits if it was the last iteration."""
        if not self.is_last_train_iter(runner):
            return
        seeds = (self.seed, runner.max_iters)
        for model in (unwrapped(runner.model), *averaged_models(runner)):
            bias = main_bias(model)
            shift = torch.zeros_like(bias)
            logits = sample_logits(runner, model, self.num_pairs, seeds)
            if is_main_process():
                shift += equalizing_shift(logits).to(shift)
            broadcast(shift)
            bias.data += self.strength * shift


def main_bias(model: Any) -> Tensor:
    """Bias (K,) of the classifier whose output are the model's logits."""
    head = getattr(model, 'main_head', None)
    layer = getattr(head, getattr(head, 'main_classifier', ''), None)
    bias = getattr(layer, 'bias', None)
    if bias is None:
        raise TypeError(
            'The model of EquipartitionHook should have a main head whose '
            f'classifier has a bias, but got {type(model).__name__} with '
            f'{type(head).__name__}. Leave the hook out.'
        )
    return bias


def equalizing_shift(logits: Tensor) -> Tensor:
    """What to add to logits so that the mean softmax is the same for all.

    Args:
        logits: (M, K).

    Returns:
        (K,) float32, 0 on average.
    """
    offsets = column_offsets(logits, epsilon=1.0, iterations=ITERATIONS)[:-1]
    return offsets - offsets.mean()


def sample_logits(
    runner: Any, model: Any, num_pairs: int, seeds: Seeds
) -> Tensor:
    """Logits at random cells of both images of training pairs.

    Args:
        runner: See :func:`~fgsn_mmseg.engine.pair_sampling.drawn_pairs`.
        model: With ``logit_map``.
        num_pairs: See there.
        seeds: See there.

    Returns:
        (M, K) float32 on rank 0, M being at most 20,000 and 2^24 / K; empty
        on the others.
    """
    classes = model.num_clusters
    limit = min(MAX_CELLS, max(MAX_LOGITS // classes, classes))
    number = min(num_pairs, len(runner.train_dataloader.dataset))
    cells = -(-limit // (2 * number))
    training = model.training
    model.eval()

    @torch.no_grad()
    def offer(reservoirs: list[FeatureReservoir]) -> None:
        generator = torch.Generator()
        for index, data in drawn_pairs(runner, model, num_pairs, seeds):
            for side, key in enumerate(('img', 'img2')):
                seed = derive_seed('logits', *seeds, index, side)
                maps = model.logit_map(data['inputs'][key]).data
                rows = maps[0].float().flatten(1).T
                generator.manual_seed(seed)
                chosen = torch.randperm(len(rows), generator=generator)
                rows = rows[chosen[:cells].to(rows.device)]
                reservoirs[0].add(
                    2 * index + side, rows.cpu().numpy(),
                    derive_seed('keys', seed),
                )  # fmt: skip

    (reservoir,) = gather(runner, offer, limit)
    model.train(training)
    return torch.from_numpy(reservoir.features())
