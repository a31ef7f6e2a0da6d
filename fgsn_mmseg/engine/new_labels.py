"""Whatever remembers the old labels is told of new ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.hooks import EMAHook
from torch import Tensor, nn


def forget(
    optim_wrapper: Any,
    parameters: list[nn.Parameter],
    keep_momentum: bool,
    kept: Tensor | None = None,
) -> None:
    """Drop accumulated gradients and the optimizer's state of parameters.

    Args:
        optim_wrapper: The run's.
        parameters: Those that were drawn anew.
        keep_momentum: Keep the optimizer's state.
        kept: (K,) bool: keep it in these rows of parameters with K rows.
    """
    wrappers = [optim_wrapper]
    if isinstance(optim_wrapper, dict) or hasattr(optim_wrapper, 'values'):
        wrappers = list(optim_wrapper.values())
    for parameter in parameters:
        parameter.grad = None
        for wrapper in wrappers:
            if keep_momentum:
                continue
            state = wrapper.optimizer.state
            if kept is None or len(parameter) != len(kept):
                state.pop(parameter, None)
                continue
            for value in state.get(parameter, {}).values():
                if getattr(value, 'shape', None) == parameter.shape:
                    value[~kept.to(value.device)] = 0


def rows_of_clusters(model: nn.Module, num_clusters: int) -> dict[int, Tensor]:
    """Copies of the parameters with a row for each cluster, by their id."""
    return {
        id(parameter): parameter.detach().clone()
        for parameter in model.parameters()
        if parameter.ndim and len(parameter) == num_clusters
    }


@torch.no_grad()
def keep_rows(
    drawn: list[nn.Parameter], before: dict[int, Tensor], kept: Tensor
) -> None:
    """Put back the rows of labels that go on.

    Args:
        drawn: Parameters that were drawn anew.
        before: See :func:`rows_of_clusters`.
        kept: (K,) bool, which labels go on.
    """
    for parameter in drawn:
        if id(parameter) in before:
            rows = kept.to(parameter.device)
            parameter[rows] = before[id(parameter)][rows]


def averaged_models(runner: Any) -> Iterator[nn.Module]:
    """The models that the run's ``EMAHook`` average."""
    for hook in runner.hooks:
        if isinstance(hook, EMAHook):
            yield hook.ema_model.module


def hand_over(
    model: nn.Module, averaged: nn.Module, drawn: list[nn.Parameter]
) -> None:
    """Give an averaged model all that is not an average of training.

    That is what was drawn anew and what is not trained: teacher, codebook,
    frozen layers, running statistics.
    """
    anew = {id(parameter) for parameter in drawn}
    trained = {
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and id(parameter) not in anew
    }
    state = model.state_dict()
    averaged.load_state_dict(
        {name: state[name] for name in state if name not in trained},
        strict=False,
    )


def report(
    runner: Any, figures: dict, num_images: int, num_clusters: int
) -> None:
    """One log line and the figures as scalars named ``clustering/...``."""
    runner.logger.info(
        f'Clustering at iteration {runner.iter}: {figures["features"]} '
        f'features of {num_images} images, {figures["used_clusters"]} of '
        f'{num_clusters} clusters used, largest share '
        f'{figures["largest_share"]:.3f}, entropy {figures["entropy"]:.2f} '
        f'bits, inertia {figures["inertia"]:.4f}, '
        f'{figures["seconds"]:.1f} s'
    )
    runner.visualizer.add_scalars(
        {f'clustering/{name}': value for name, value in figures.items()},
        step=runner.iter,
    )
