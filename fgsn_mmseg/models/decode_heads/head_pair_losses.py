"""The losses of a head on a batch of pairs."""

from __future__ import annotations

from typing import Any

from mmseg.registry import MODELS
from mmseg.utils import add_prefix
from torch import Tensor, nn

from ..pairs import PairMaps, Pairs, fill, scatter
from .head_losses import dense_losses
from .head_maps import HeadMaps
from .head_tables import LOSS_OF_CLASSIFIER, look_up

FURTHER_WEIGHT = 0.4
"""Of what is not the main classifier (paper: the auxiliary head)."""


def build_losses(config: Any, grid: str) -> Any:
    """The loss of a config, a ``ModuleList`` of a list of them, or None."""
    if config is None:
        return None
    if isinstance(config, (list, tuple)):
        return nn.ModuleList(build_losses(one, grid) for one in config)
    return MODELS.build({'grid': grid, **config})


def as_list(losses: Any) -> list[Any]:
    """Losses of a head as a list: there may be one, several or none."""
    if losses is None:
        return []
    return list(losses) if isinstance(losses, nn.ModuleList) else [losses]


def of_codebook(loss: Any) -> bool:
    """Whether a loss asks for labels and centroids."""
    return getattr(loss, 'of_codebook', False)


def compares(loss: Any, default: bool) -> bool:
    """Whether a loss needs both images, one of them without a gradient."""
    return getattr(loss, 'compares', default)


def pair_losses(
    head: Any, maps: HeadMaps, pairs: Pairs, resting: HeadMaps | None
) -> dict[str, Tensor]:
    """See :meth:`ClusterHead.pair_losses`."""
    rest = None if resting is None else resting.logits
    losses = label_losses(head, head.main_classifier, maps.logits, pairs, rest)
    for name, logits in maps.further.items():
        rest = None if resting is None else resting.further[name]
        further = label_losses(head, name, logits, pairs, rest)
        losses.update(add_prefix(further, name))
    losses.update(
        feature_losses(as_list(head.loss_feat), maps, pairs, resting)
    )
    return losses


def label_losses(
    head: Any,
    classifier: str,
    logits: Tensor,
    pairs: Pairs,
    resting: Tensor | None,
) -> dict[str, Tensor]:
    """Dense losses and ``loss_corr`` of one classifier.

    Args:
        head: The :class:`ClusterHead`.
        classifier: Name of its child.
        logits: (n, K, h, w) of the images that were run.
        pairs: Which images these are, points and labels.
        resting: Logits of the other images, or None.

    Returns:
        By name; those of one name are added up.
    """
    main = classifier == head.main_classifier
    weight = dense_weight = 1.0 if main else FURTHER_WEIGHT
    dense = as_list(head.loss_decode)
    own = look_up(LOSS_OF_CLASSIFIER, head.wrapped) or {}
    if classifier in own and len(dense) > 1:
        dense, dense_weight = [dense[own[classifier]]], 1.0
    found: dict[str, Tensor] = {}
    if head.learns_densely:
        found = dense_losses(
            dense, logits, pairs, head.grid, head.sampler, dense_weight
        )
    for loss in as_list(head.loss_corr):
        value = loss(
            *_sides(logits, pairs, resting if compares(loss, False) else None),
            pairs.points,
            pairs.points2,
            pairs.labels,
            pairs.size,
        )
        _add(found, loss.loss_name, weight * value)
    return found


def feature_losses(
    losses: list[Any], maps: HeadMaps, pairs: Pairs, resting: HeadMaps | None
) -> dict[str, Tensor]:
    """``loss_feat`` of a head, by name; see :func:`label_losses`."""
    found: dict[str, Tensor] = {}
    for loss in losses:
        other = None
        if resting is not None and compares(loss, True):
            other = resting.features
        further: tuple = (pairs.size,)
        if of_codebook(loss):
            further = (pairs.labels, pairs.size, pairs.codebook)
        value = loss(
            *_sides(maps.features, pairs, other),
            pairs.points,
            pairs.points2,
            *further,
        )
        _add(found, loss.loss_name, value)
    return found


def _sides(maps: Tensor, pairs: Pairs, resting: Tensor | None) -> PairMaps:
    sides = scatter(maps, pairs.run)
    if resting is not None:
        fill(sides, resting, ~pairs.run)
    return sides


def _add(found: dict[str, Tensor], name: str, value: Tensor) -> None:
    found[name] = found[name] + value if name in found else value
