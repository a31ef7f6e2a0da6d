"""What an FGSN asks of a decode head: features and a fresh classifier.

Any mmseg decode head serves as it is, so that its parameter names stay
those of a plain ``EncoderDecoder``. The functions here look into it from
outside.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def with_classes(head: Any, num_clusters: int) -> Any:
    """Head config(s) with K classes; the given ones stay as they are."""
    if head is None:
        return None
    if isinstance(head, (list, tuple)):
        return [with_classes(one, num_clusters) for one in head]
    head = copy.deepcopy(head)
    head['num_classes'] = num_clusters
    if 'out_channels' in head:
        head['out_channels'] = num_clusters
    return head


def check_head(head: nn.Module, layer: str | None, name: str) -> None:
    """Raise ValueError if a head cannot become a cluster head.

    Args:
        head: An mmseg decode head.
        layer: Name of the inner layer that gives the features, or None.
        name: The head's name in the model, for the message.
    """
    if not isinstance(getattr(head, 'conv_seg', None), nn.Conv2d):
        raise ValueError(
            f'`{name}` should be a decode head that ends in a 1x1 '
            f'convolution `conv_seg`, but got {type(head).__name__}. Choose '
            'another decode head.'
        )
    names = [key for key, _ in head.named_modules() if key]
    if layer is not None and layer not in names:
        raise ValueError(
            f'The feature layer of `{name}` should be one of '
            f'{", ".join(names)}, but got {layer!r}.'
        )


@contextmanager
def tapped(head: nn.Module, layer: str | None) -> Iterator[list[Tensor]]:
    """Collect the features that a head computes on the way to its logits.

    Args:
        head: A head that passes :func:`check_head`.
        layer: Name of the inner layer whose output is taken, or None for
            what enters ``conv_seg`` (before its dropout).

    Yields:
        A list that receives one (B, C, h, w) tensor for each forward pass.
    """
    features: list[Tensor] = []

    def before(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        features.append(args[0])

    def after(module: nn.Module, args: tuple, output: Tensor) -> None:
        # The ReLU that follows works in place: keep the values before it.
        features.append(output.clone())

    if layer is None:
        entry = getattr(head, 'dropout', None) or head.conv_seg
        handle = entry.register_forward_pre_hook(before)
    else:
        handle = head.get_submodule(layer).register_forward_hook(after)
    try:
        yield features
    finally:
        handle.remove()


def features_and_logits(
    head: nn.Module, inputs: list[Tensor], layer: str | None
) -> tuple[Tensor, Tensor]:
    """Run a head once.

    Args:
        head: A head that passes :func:`check_head`.
        inputs: Feature maps of the backbone (or neck).
        layer: See :func:`tapped`.

    Returns:
        Features (B, C, h, w) and logits (B, K, h, w), both at the head's
        own resolution.
    """
    with tapped(head, layer) as features:
        logits = head(inputs)
    return features[-1], logits


@torch.no_grad()
def redraw_classifier(
    head: nn.Module, generator: torch.Generator, std: float = 0.01
) -> list[nn.Parameter]:
    """Draw the last 1x1 convolution anew: N(0, std), bias 0.

    Args:
        head: A head that passes :func:`check_head`.
        generator: Source of the draws, on the CPU, so that they are the
            same on every device.
        std: Standard deviation of the weights.

    Returns:
        The parameters that were drawn anew.
    """
    conv: Any = head.conv_seg
    draws = torch.empty(conv.weight.shape).normal_(
        0.0, std, generator=generator
    )
    conv.weight.copy_(draws)
    if conv.bias is not None:
        conv.bias.zero_()
    return list(conv.parameters())
