from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd


@dataclass(frozen=True)
class HeadMaps:
    """What a head makes of the backbone's maps, at the head's resolution."""

    features: Tensor
    """(B, C, h, w)."""
    logits: Tensor
    """(B, K, h, w)."""
    further: dict[str, Tensor] = field(default_factory=dict)
    """Logits of the head's other classifiers (DAHead has three), by name."""


class ClusterHead:
    """A decode head of mmseg, seen as features and classifiers.

    It looks at a head from outside: the head stays as it is, and so do its
    parameter names. By mmseg's convention the classifiers of a head are its
    children named ``*_seg``, and what comes out of ``conv_seg`` are its
    logits. Heads that differ have a subclass, see
    :mod:`fgsn_mmseg.models.decode_heads.adapters`.

    Args:
        head: The head, with ``num_classes`` = K.
        layer: Name of the inner layer whose output are the features, e.g.
            ``'bottleneck.bn'``. None: what enters the classifier (before
            its dropout).
        name: The head's name in the losses.
        weight: Weight of its losses.
    """

    classifier = 'conv_seg'
    """Child that gives the logits."""
    refines = False
    """Whether prediction refines the logits beyond their resolution."""

    def __init__(
        self,
        head: Any,
        layer: str | None = None,
        name: str = 'decode',
        weight: float = 1.0,
    ) -> None:
        self.head = head
        self.layer = layer
        self.name = name
        self.weight = weight

    def check(self) -> None:
        """Raise ValueError if the head cannot become a cluster head."""
        if self.classifier not in self.classifiers():
            raise ValueError(
                f'`{self.name}` should be a decode head that ends in a 1x1 '
                f'convolution `{self.classifier}`, but got '
                f'{type(self.head).__name__}. Choose another decode head.'
            )
        names = [key for key, _ in self.head.named_modules() if key]
        if self.layer is not None and self.layer not in names:
            raise ValueError(
                f'The feature layer of `{self.name}` should be one of '
                f'{", ".join(names)}, but got {self.layer!r}.'
            )

    def classifiers(self) -> dict[str, Any]:
        """Children that give K logits, by name; the main one among them."""
        return {
            name: child
            for name, child in self.head.named_children()
            if name.endswith('_seg')
            and isinstance(child, _ConvNd)
            and child.out_channels == self.head.num_classes
        }

    def __call__(
        self, inputs: Any, previous: Tensor | None = None
    ) -> HeadMaps:
        """Run the head once.

        Args:
            inputs: What the backbone (or neck) gives.
            previous: (B, K, h', w') logits of the stage before, in a
                cascade.

        Returns:
            Its maps.
        """
        features: list[Tensor] = []
        logits: dict[str, Tensor] = {}
        names = {self.classifier, *self.classifiers()}
        with ExitStack() as hooks:
            for name in names:
                classifier = getattr(self.head, name)
                hooks.enter_context(
                    classifier.register_forward_hook(_keep(logits, name))
                )
            for handle in self._watch(features):
                hooks.enter_context(handle)
            self._run(inputs, previous)
        return HeadMaps(features[-1], logits.pop(self.classifier), logits)

    def _run(self, inputs: Any, previous: Tensor | None) -> None:
        """Call the head."""
        if previous is None:
            self.head(inputs)
        else:
            self.head(inputs, previous)

    def _watch(self, features: list[Tensor]) -> list[Any]:
        """Hooks that append the features to a list."""
        if self.layer is not None:
            module = self.head.get_submodule(self.layer)
            # The ReLU that follows may work in place: keep what was before.
            return [
                module.register_forward_hook(
                    lambda _, args, output: features.append(output.clone())
                )
            ]
        dropout = getattr(self.head, 'dropout', None)
        entering: list[Tensor] = []

        def enter_dropout(module: nn.Module, args: tuple) -> None:
            entering.append(args[0])

        def enter_classifier(module: nn.Module, args: tuple) -> None:
            # Several classifiers may share one dropout.
            features.append(entering[-1] if entering else args[0])

        handles = [
            getattr(self.head, self.classifier).register_forward_pre_hook(
                enter_classifier
            )
        ]
        if dropout is not None:
            handles.append(dropout.register_forward_pre_hook(enter_dropout))
        return handles

    @torch.no_grad()
    def redraw(
        self, generator: torch.Generator, std: float = 0.01
    ) -> list[nn.Parameter]:
        """Draw the classifiers anew: N(0, std), bias 0.

        Args:
            generator: Source of the draws, on the CPU, so that they are the
                same on every device.
            std: Standard deviation of the weights.

        Returns:
            The parameters that were drawn anew.
        """
        drawn: list[nn.Parameter] = []
        for classifier in self.classifiers().values():
            draw(classifier.weight, generator, std)
            if classifier.bias is not None:
                classifier.bias.zero_()
            drawn += classifier.parameters()
        return drawn

    def drop_classifiers(self) -> None:
        """Leave only what makes the features; logits become features."""
        for name in self.classifiers():
            setattr(self.head, name, nn.Identity())


def draw(weight: Tensor, generator: torch.Generator, std: float) -> None:
    """Fill a tensor in place with N(0, std) drawn on the CPU."""
    weight.copy_(
        torch.empty(weight.shape).normal_(0.0, std, generator=generator)
    )


def _keep(outputs: dict[str, Tensor], name: str) -> Any:
    """A hook that writes a module's output into a dict."""

    def hook(module: nn.Module, args: tuple, output: Tensor) -> None:
        outputs[name] = output

    return hook
