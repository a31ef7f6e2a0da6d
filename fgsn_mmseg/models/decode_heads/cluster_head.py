from __future__ import annotations

import copy
import functools
from typing import Any

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from ...geometry import check_grid
from ...structures import IGNORED_LABEL
from ..pairs import Pairs
from .head_checks import (
    check_num_clusters,
    check_parts,
    class_of,
    feature_channels,
    freeze_what_learns_nothing,
)
from .head_losses import make_ready, samples_at, weight_of
from .head_maps import HeadMaps, draw, watch_head
from .head_pair_losses import (
    as_list,
    build_losses,
    compares,
    of_codebook,
    pair_losses,
)
from .head_tables import look_up

VARIANTS: dict[str, type[ClusterHead]] = {}
"""Subclasses for heads that differ, by the name of the head's class."""


@MODELS.register_module()
class ClusterHead(nn.Module):
    """Any decode head of mmseg, with K clusters as classes.

    What is built is a head of the class that ``head`` names, of a subclass
    made for it: parameter names, ``isinstance`` and all options are those of
    the head, so checkpoints of mmseg load and ours go back. By mmseg's
    convention the classifiers of a head are its children named ``*_seg``,
    and what comes out of ``conv_seg`` are its logits.

    In an :class:`~fgsn_mmseg.models.FGSN` the labels come from the teacher,
    at the resolution of its features, and there are three losses (paper,
    section 3), each weighted by its own ``loss_weight``:

    - the head's ``loss_decode`` on the references: class weights, samplers
      and lists of losses count. It is called ``loss_seg``; of several ones
      each has its own name, ``loss_seg_dice`` for ``loss_dice``.
    - ``loss_corr``, from the logits of both images; one or a list.
    - ``loss_feat``, from their features; one or a list.

    Further classifiers (of DANet, DDRNet, PIDNet) have the first two, times
    0.4; where ``loss_decode`` has an entry for each classifier (DDRNet,
    PIDNet) that is their dense loss, with its own weight. Parts that predict
    something else, boundaries or which classes are present, are frozen.

    In a plain segmentor of mmseg the head learns label maps from disk by its
    own ``loss_decode``, at the resolution of its logits: each cell has the
    label nearest to it, so that memory does not grow with K times the size
    of the image.

    Everywhere 65535 and negative labels are ignored, and 255 is an ordinary
    label, whatever ``ignore_index`` says.

    Args:
        head: Config of the decode head; its ``num_classes`` is overruled.
        num_clusters: K. An FGSN sets it.
        feature_layer: Name of the inner layer whose output are the features,
            e.g. ``'bottleneck.bn'`` (the paper: before ReLU). Defaults to
            None: what enters the classifier, before its dropout.
        loss_corr: Config of the correspondence loss, or a list of losses of
            logits. None: no such loss.
        loss_feat: Config of the feature loss, or a list of losses of
            features. Defaults to None.
        grid: How cells cover the image, see :mod:`fgsn_mmseg.geometry`.
            Defaults to what the head's ``align_corners`` says.
    """

    main_classifier = 'conv_seg'
    """Child that gives the logits."""
    default_layer: str | None = None  # where the config names none
    refines_points = False
    """Whether prediction refines the logits beyond their resolution."""
    wrapped: type
    """Class of the head inside."""

    # Of the head inside.
    align_corners: bool
    channels: int
    loss_decode: Any
    num_classes: int
    sampler: Any

    def __new__(cls, head: dict | None = None, *_: Any, **__: Any) -> Any:
        """Make a blank head of the class that the config names."""
        if head is None:
            return super().__new__(cls)
        return blank_head(class_of(head))

    def __init__(
        self,
        head: dict,
        num_clusters: int | None = None,
        feature_layer: str | None = None,
        loss_corr: Any = {'type': 'CorrespondenceLoss'},  # noqa: B006
        loss_feat: Any = None,
        grid: str | None = None,
    ) -> None:
        config = {
            key: copy.deepcopy(value)
            for key, value in head.items()
            if key != 'type'
        }
        config['num_classes'] = check_num_clusters(num_clusters)
        if 'out_channels' in config:
            config['out_channels'] = num_clusters
        super().__init__(**config)
        self.feature_layer = feature_layer or self.default_layer
        check_parts(self, self.wrapped.__name__)
        self.ignore_index = IGNORED_LABEL
        for loss in as_list(self.loss_decode):
            make_ready(loss, self.num_classes)
        align = 'corners' if self.align_corners else 'centers'
        self.grid = check_grid(grid or align)
        self.loss_corr = build_losses(loss_corr, self.grid)
        self.loss_feat = build_losses(loss_feat, self.grid)
        freeze_what_learns_nothing(self, self.wrapped)

    def __reduce__(self) -> Any:
        # The class is made at run time: pickle cannot find it by its name.
        return blank_head, (self.wrapped,), self.__dict__

    # --------------------------------------------------------- its parts

    def classifiers(self) -> dict[str, Any]:
        """Children that give K logits, by name; the main one among them."""
        return {
            name: child
            for name, child in self.named_children()
            if name.endswith('_seg')
            and isinstance(child, _ConvNd)
            and child.out_channels == self.num_classes
        }

    @property
    def feature_channels(self) -> int:
        """C, channels of the features."""
        return feature_channels(self)

    @property
    def learns_densely(self) -> bool:
        """Whether a dense loss has a weight."""
        return any(weight_of(loss) for loss in as_list(self.loss_decode))

    @property
    def learns_labels(self) -> bool:
        """Whether a loss of this head needs the teacher's labels."""
        return (
            self.learns_densely
            or bool(as_list(self.loss_corr))
            or any(map(of_codebook, as_list(self.loss_feat)))
        )

    @property
    def learns_pairs(self) -> bool:
        """Whether a loss of this head looks at targets, too."""
        return bool(as_list(self.loss_corr) + as_list(self.loss_feat))

    @property
    def compares(self) -> bool:
        """Whether a loss of this head needs both images of a pair."""
        return any(
            compares(loss, False) for loss in as_list(self.loss_corr)
        ) or any(compares(loss, True) for loss in as_list(self.loss_feat))

    @property
    def learns(self) -> bool:
        """Whether this head has any loss."""
        return self.learns_labels or self.learns_pairs

    # -------------------------------------------------- maps and losses

    def cluster_maps(
        self, inputs: Any, previous: Tensor | None = None
    ) -> HeadMaps:
        """Run the head once.

        Args:
            inputs: What the backbone (or neck) gives.
            previous: (B, K, h', w') logits of the stage before in a cascade.
        """
        return watch_head(
            self,
            lambda: self._run(inputs, previous),
            self.main_classifier,
            self.classifiers(),
            self.feature_layer,
        )

    def _run(self, inputs: Any, previous: Tensor | None) -> None:
        """Call the head."""
        if previous is None:
            self(inputs)
        else:
            self(inputs, previous)

    def pair_losses(
        self, maps: HeadMaps, pairs: Pairs, resting: HeadMaps | None = None
    ) -> dict[str, Tensor]:
        """Losses of a batch of pairs, by name.

        Args:
            maps: Of the images that were run.
            pairs: Points, labels, and which images these are.
            resting: Of the other images, for losses that compare.

        Returns:
            Weighted losses; a further classifier's have its name before
            them.
        """
        return pair_losses(self, maps, pairs, resting)

    def loss_by_feat(self, seg_logits: Any, batch_data_samples: list) -> dict:
        """The head's own losses with label maps (mmseg's plain training).

        Args:
            seg_logits: (B, K, h, w), or a tuple that begins with it.
            batch_data_samples: B samples with ``gt_sem_seg`` (1, H, W).
        """
        first = seg_logits
        while isinstance(first, (tuple, list)):
            first = first[0]
        samples = samples_at(batch_data_samples, first.shape[-2:], self.grid)
        return super().loss_by_feat(seg_logits, samples)  # type: ignore[misc]

    # ------------------------------------------------------- classifiers

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
            setattr(self, name, nn.Identity())


def blank_head(kind: type) -> Any:
    """A cluster head of a class of heads, before its `__init__`."""
    made = cluster_head_class(kind)
    return made.__new__(made)


@functools.cache
def cluster_head_class(kind: type) -> type[ClusterHead]:
    """The class of cluster heads that wrap heads of a class."""
    variant = look_up(VARIANTS, kind) or ClusterHead
    return type(f'Cluster{kind.__name__}', (variant, kind), {'wrapped': kind})
