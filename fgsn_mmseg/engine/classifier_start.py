"""What the classifiers of new labels start from, other than noise."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast, is_main_process
from torch import Tensor, nn

from ..clustering import FeatureReservoir, fit_linear_classifier
from ..geometry import resample_labels
from .gathering import gather
from .pair_sampling import Seeds, drawn_pairs
from .seeding import derive_seed

# Inputs of one classifier: more than the fit will use.
MAX_INPUTS = 100_000


def fit_classifiers(
    runner: Any,
    model: Any,
    num_pairs: int,
    features_per_image: int,
    seeds: Seeds,
) -> None:
    """Fit the classifiers of a model to the labels that they are to learn.

    What enters a classifier in the reference crops of training pairs is
    fitted to the teacher's labels there, group by group of
    ``model.linear_classifiers()``.

    Args:
        runner: See :func:`~fgsn_mmseg.engine.pair_sampling.drawn_pairs`.
        model: In eval mode, with the new labels.
        num_pairs: Number of crops, at most.
        features_per_image: Inputs taken from a crop, at most.
        seeds: The run's and the iteration.
    """
    for group in model.linear_classifiers():

        def offer(
            reservoirs: list[FeatureReservoir],
            layers: Iterable[nn.Module] = group.values(),
        ) -> None:
            for number, data in drawn_pairs(runner, model, num_pairs, seeds):
                seed = derive_seed('inputs', *seeds, number)
                found = labelled_inputs(
                    model, layers, data['inputs']['img'], features_per_image,
                    seed,
                )  # fmt: skip
                for reservoir, rows in zip(reservoirs, found):
                    reservoir.add(number, rows, derive_seed('keys', seed))

        merged = gather(runner, offer, MAX_INPUTS, len(group))
        for (name, layer), reservoir in zip(group.items(), merged):
            if is_main_process() and len(reservoir):
                rows = torch.from_numpy(reservoir.features())
                weight, bias = fit_linear_classifier(
                    rows[:, :-1],
                    rows[:, -1].long(),
                    model.num_clusters,
                    derive_seed(f'fit {name}', *seeds),
                )
                set_classifier(layer, weight, bias)
        for layer in group.values():
            for parameter in layer.parameters():
                broadcast(parameter.data)


@torch.no_grad()
def labelled_inputs(
    model: Any,
    layers: Iterable[nn.Module],
    images: Tensor,
    limit: int,
    seed: int,
) -> list[np.ndarray]:
    """What enters classifiers at random cells, and the labels there.

    Args:
        model: In eval mode.
        layers: The classifiers.
        images: (B, 3, H, W).
        limit: Number of cells, at most.
        seed: Of the cells.

    Returns:
        For each layer (S, C + 1) float32, the label last; S is 0 if it is
        not run.
    """
    seen: dict[nn.Module, Tensor] = {}

    def keep(layer: nn.Module, args: tuple) -> None:
        seen[layer] = args[0].detach()

    with ExitStack() as hooks:
        for layer in layers:
            hooks.enter_context(layer.register_forward_pre_hook(keep))
        model.run_heads(images)
    label_maps = model.label_maps(images)
    found = []
    for layer in layers:
        if layer not in seen:
            found.append(np.zeros((0, 1), np.float32))
            continue
        labels = resample_labels(
            label_maps, seen[layer].shape[-2:], model.grid
        )
        rows = torch.cat([seen[layer].float(), labels[:, None].float()], 1)
        rows = rows.movedim(1, -1).flatten(0, 2)
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(rows), generator=generator)[:limit]
        found.append(rows[chosen.to(rows.device)].cpu().numpy())
    return found


@torch.no_grad()
def set_classifier(layer: nn.Module, weight: Tensor, bias: Tensor) -> None:
    """Put a classifier (K, C), (K,) into a 1x1 convolution."""
    layer.weight.copy_(weight[..., None, None])
    if layer.bias is not None:
        layer.bias.copy_(bias)
