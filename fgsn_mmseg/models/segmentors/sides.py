"""Bookkeeping of a step that runs only the images that carry a gradient.

``chosen`` is (B, 2) bool: whether the reference and whether the target of
each pair is run. Maps of the chosen images come in reading order.
"""

from __future__ import annotations

import torch
from torch import Tensor

PairMaps = tuple[list[Tensor | None], list[Tensor | None]]
"""B maps of the references and B of the targets, None if not run."""


def draw_sides(
    batch: int, fraction: float | None, generator: torch.Generator
) -> Tensor:
    """Which images carry the gradient (method: ``fraction_reference``).

    Args:
        batch: B.
        fraction: Probability of the reference, else the target. None: both.
        generator: Source of the draws, on the CPU.

    Returns:
        (B, 2) bool, reference and target.
    """
    if fraction is None:
        return torch.ones(batch, 2, dtype=torch.bool)
    reference = torch.rand(batch, generator=generator) < fraction
    return torch.stack([reference, ~reference], 1)


def gather(img: Tensor, img2: Tensor, chosen: Tensor) -> Tensor:
    """The images that are run.

    Args:
        img: (B, 3, H, W) references.
        img2: (B, 3, H, W) targets.
        chosen: (B, 2) bool with n true values.

    Returns:
        (n, 3, H, W) in reading order.
    """
    pair = (img, img2)
    places = chosen.nonzero().tolist()
    return torch.stack([pair[side][row] for row, side in places])


def scatter(
    maps: Tensor, chosen: Tensor
) -> tuple[list[Tensor | None], list[Tensor | None]]:
    """Maps of the images that were run, back at their places.

    Args:
        maps: (n, C, h, w) of the chosen images in reading order.
        chosen: (B, 2) bool with n true values.

    Returns:
        B maps of the references and B of the targets, None if not run.
    """
    pair: tuple[list, list] = ([None] * len(chosen), [None] * len(chosen))
    fill(pair, maps, chosen)
    return pair


def fill(pair: tuple[list, list], maps: Tensor, chosen: Tensor) -> None:
    """Put maps at the places that ``chosen`` names, in reading order."""
    for one, (row, side) in zip(maps, chosen.nonzero().tolist()):
        pair[side][row] = one
