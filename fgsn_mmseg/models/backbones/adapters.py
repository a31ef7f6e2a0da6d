"""Few new weights in a network whose own weights stay as they are."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

LAYERS = dict(
    low_rank=r'\battn\.(qkv|q_proj|k_proj|v_proj|proj)$',
    bottleneck=r'\bmlp$',
)
"""Names of the layers that each kind adapts, in most networks of timm."""


class LowRank(nn.Module):
    """Weight + up @ down, which starts as the weight itself (LoRA).

    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2022; the
    paper's factor alpha / rank is left to the learning rate. A parametrization
    of the weight: layers that are used through their weight alone, as timm's
    attention does, are adapted too.

    Args:
        weight: (O, ...), I numbers for each of O outputs.
        rank: r of up (O, r) and down (r, I).
    """

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        outputs, inputs = weight.flatten(1).shape
        self.down = nn.Parameter(weight.new_empty(rank, inputs))
        self.up = nn.Parameter(weight.new_zeros(outputs, rank))
        nn.init.normal_(self.down, std=inputs**-0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight, of the same shape."""
        return weight + (self.up @ self.down).view_as(weight)


class Bottleneck(nn.Module):
    """A layer, then y + up(gelu(down(y))), which starts as y itself.

    Houlsby et al., "Parameter-Efficient Transfer Learning for NLP", 2019.

    Args:
        layer: Gives (..., C), with a linear layer of C outputs as its last.
        width: Channels in the middle.
    """

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        linear = [m for m in layer.modules() if isinstance(m, nn.Linear)]
        if not linear:
            raise ValueError(
                '`adapter_layers` should name layers that end in a linear '
                f'layer, but got a {type(layer).__name__} without one.'
            )
        channels = linear[-1].out_features
        self.layer = layer
        self.down = nn.Linear(channels, width)
        self.up = nn.Linear(width, channels)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """What the layer gives, adapted."""
        given = self.layer(inputs)
        return given + self.up(F.gelu(self.down(given)))


def add_adapters(
    network: nn.Module, kind: str, width: int, layers: str | None = None
) -> list[nn.Parameter]:
    """Add adapters to layers of a network, in place.

    Args:
        network: Gives the same as before until the adapters have learned.
        kind: 'low_rank' or 'bottleneck'.
        width: Rank, or channels in the middle.
        layers: Regular expression, searched in the names of the layers.
            Defaults to None: as `LAYERS` says.

    Returns:
        The new parameters.

    Raises:
        ValueError: ``kind`` is unknown, ``width`` is below 1, or no layer has
            such a name.
    """
    if kind not in LAYERS:
        raise ValueError(
            f'`adapter` should be one of {[*LAYERS]} or None, but got '
            f'{kind!r}.'
        )
    if width < 1:
        raise ValueError(
            f'`adapter_width` should be positive, but got {width!r}.'
        )
    pattern = re.compile(layers or LAYERS[kind])
    chosen = [
        name for name, _ in network.named_modules() if pattern.search(name)
    ]
    if not chosen:
        raise ValueError(
            '`adapter_layers` should match names of layers, but got '
            f'{pattern.pattern!r}, which matches none of '
            f'{type(network).__name__}.'
        )
    known = {id(parameter) for parameter in network.parameters()}
    for name in chosen:
        layer = network.get_submodule(name)
        if kind == 'low_rank':
            new: nn.Module = LowRank(_weight_of(layer, name), width)
            parametrize.register_parametrization(layer, 'weight', new)
        else:
            parent, _, own = name.rpartition('.')
            new = Bottleneck(layer, width)
            setattr(network.get_submodule(parent), own, new)
    return [p for p in network.parameters() if id(p) not in known]


def _weight_of(layer: nn.Module, name: str) -> Tensor:
    weight = getattr(layer, 'weight', None)
    if not isinstance(weight, torch.Tensor) or weight.ndim < 2:
        raise ValueError(
            '`adapter_layers` should name linear layers or convolutions, but '
            f'got {name!r}, a {type(layer).__name__}.'
        )
    return weight
