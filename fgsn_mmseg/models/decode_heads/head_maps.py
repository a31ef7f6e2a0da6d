from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class HeadMaps:
    """What a head makes of the backbone's maps, at the head's resolution."""

    features: Tensor
    """(B, C, h, w)."""
    logits: Tensor
    """(B, K, h, w)."""
    further: dict[str, Tensor] = field(default_factory=dict)
    """Logits of the head's other classifiers (DAHead has three), by name."""


def watch_head(
    head: nn.Module,
    run: Callable[[], Any],
    main: str,
    classifiers: Iterable[str],
    layer: str | None,
) -> HeadMaps:
    """Run a head and keep what passes by.

    Args:
        head: The head.
        run: Calls it once.
        main: Its child that gives the logits.
        classifiers: Its children that give logits.
        layer: Its inner layer that gives the features. None: what enters the
            main classifier, before its dropout.

    Returns:
        Its maps.
    """
    features: list[Tensor] = []
    logits: dict[str, Tensor] = {}
    with ExitStack() as hooks:
        for name in {main, *classifiers}:
            child = getattr(head, name)
            hooks.enter_context(
                child.register_forward_hook(_keep(logits, name))
            )
        for handle in _watch_features(head, main, layer, features):
            hooks.enter_context(handle)
        run()
    return HeadMaps(features[-1], logits.pop(main), logits)


def _watch_features(
    head: nn.Module, main: str, layer: str | None, features: list[Tensor]
) -> list[Any]:
    """Hooks that append the features to a list."""
    if layer is not None:
        # The ReLU that follows may work in place: keep what was before.
        return [
            head.get_submodule(layer).register_forward_hook(
                lambda _, args, output: features.append(output.clone())
            )
        ]
    dropout = getattr(head, 'dropout', None)
    entering: list[Tensor] = []

    def enter_dropout(module: nn.Module, args: tuple) -> None:
        entering.append(args[0])

    def enter_classifier(module: nn.Module, args: tuple) -> None:
        # Several classifiers may share one dropout.
        features.append(entering[-1] if entering else args[0])

    handles = [getattr(head, main).register_forward_pre_hook(enter_classifier)]
    if dropout is not None:
        handles.append(dropout.register_forward_pre_hook(enter_dropout))
    return handles


def _keep(outputs: dict[str, Tensor], name: str) -> Any:
    """A hook that writes a module's output into a dict."""

    def hook(module: nn.Module, args: tuple, output: Tensor) -> None:
        outputs[name] = output

    return hook


def draw(weight: Tensor, generator: torch.Generator, std: float) -> None:
    """Fill a tensor in place with N(0, std) drawn on the CPU."""
    weight.copy_(
        torch.empty(weight.shape).normal_(0.0, std, generator=generator)
    )


def run_stages(stages: Sequence[Any], inputs: Any) -> list[HeadMaps]:
    """Run the heads of a cascade, each on the logits of the one before."""
    done: list[HeadMaps] = []
    previous: Tensor | None = None
    for stage in stages:
        done.append(stage.cluster_maps(inputs, previous))
        previous = done[-1].logits
    return done
