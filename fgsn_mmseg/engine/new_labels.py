"""Whatever remembers the old labels is told of new ones."""

from __future__ import annotations

from typing import Any

from torch import nn


def forget(
    optim_wrapper: Any, parameters: list[nn.Parameter], keep_momentum: bool
) -> None:
    """Drop accumulated gradients and the optimizer's state of parameters."""
    wrappers = [optim_wrapper]
    if isinstance(optim_wrapper, dict) or hasattr(optim_wrapper, 'values'):
        wrappers = list(optim_wrapper.values())
    for parameter in parameters:
        parameter.grad = None
        for wrapper in wrappers:
            if not keep_momentum:
                wrapper.optimizer.state.pop(parameter, None)


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
