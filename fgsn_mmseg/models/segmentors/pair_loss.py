"""One training step: the losses of a batch of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from mmseg.utils import add_prefix
from torch import Tensor

from ..losses import dense_loss
from .sides import draw_sides, fill, gather, scatter

if TYPE_CHECKING:
    from .fgsn import FGSN


def pair_losses(
    model: FGSN,
    img: Tensor,
    img2: Tensor,
    points: list[Tensor],
    points2: list[Tensor],
) -> dict[str, Tensor]:
    """Losses of a batch of pairs (method, "one training iteration").

    Args:
        model: The segmentor, in training mode.
        img: (B, 3, H, W) references.
        img2: (B, 3, H, W) targets.
        points: B tensors (N, 2) in pixels of the references.
        points2: B tensors (N, 2) in pixels of the targets.

    Returns:
        Weighted losses of every classifier of every head; those of weight 0
        are left out.
    """
    # The feature loss alone needs no labels: a base network can be trained
    # with it before there are any.
    labels: Any = None
    if model.w_seg or model.w_corr:
        labels = model.label_maps(img)
    # Only the dense loss looks at the reference alone: without the other
    # losses the target carries nothing.
    fraction = model.fraction_reference
    if not model.w_corr and not model.w_feat:
        fraction = 1.0
    # It stays on the CPU: what to run must not wait for the device.
    chosen = draw_sides(len(img), fraction, model.generator)
    images = gather(img, img2, chosen)
    heads = model.run_heads(model.extract_feat(images))
    others = None
    if model.w_feat and not chosen.all():
        images = gather(img, img2, ~chosen)
        with torch.no_grad():
            others = model.run_heads(model.extract_feat(images))
    where = dict(
        points=points, points2=points2, crop_size=tuple(img.shape[-2:])
    )

    def of_logits(logits: Tensor, weight: float) -> dict[str, Tensor]:
        sides = scatter(logits, chosen)
        own: dict[str, Tensor] = {}
        if model.w_seg:
            seg = dense_loss(sides[0], labels, model.grid)
            own['loss_seg'] = model.w_seg * weight * seg
        if model.w_corr:
            corr = model.loss_corr(*sides, label_map=labels, **where)
            own['loss_corr'] = model.w_corr * weight * corr
        return own

    losses: dict[str, Tensor] = {}
    for index, (head, maps) in enumerate(heads):
        own = of_logits(maps.logits, head.weight)
        if model.w_feat:
            pair = scatter(maps.features, chosen)
            if others is not None:
                fill(pair, others[index][1].features, ~chosen)
            feat = model.loss_feat(*pair, generator=model.generator, **where)
            own['loss_feat'] = model.w_feat * head.weight * feat
        losses.update(add_prefix(own, head.name))
        for name, logits in maps.further.items():
            weight = min(head.weight, model.aux_weight)
            further = of_logits(logits, weight)
            losses.update(add_prefix(further, f'{head.name}.{name}'))
    return losses
