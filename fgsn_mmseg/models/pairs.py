"""A batch of pairs of which only the images with a gradient are run.

``run`` is (B, 2) bool: whether the reference and whether the target of each
pair is run. Maps of these images come in reading order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..geometry import Size, cell_positions
from ..structures import IGNORED_LABEL

PairMaps = tuple[list, list]
"""B maps of the references and B of the targets, None if not run."""


class Pairs(NamedTuple):
    """What the losses of a head need beside its maps."""

    points: Sequence[Tensor]
    """B tensors (N, 2), x and y in pixels of the references."""
    points2: Sequence[Tensor]
    """B tensors (N, 2) in pixels of the targets."""
    size: tuple[int, int]
    """(H, W) of all images."""
    run: Tensor
    """(B, 2) bool on the CPU."""
    labels: Tensor | None
    """(B, h, w) int64, the teacher's labels of the references; None where
    no loss asks for them."""
    codebook: Any = None
    """Of these labels, for the head whose features are clustered."""


def check_pairs(inputs: Any) -> tuple[Tensor, Tensor]:
    """The references and targets of a training batch, (B, 3, H, W) each."""
    if not isinstance(inputs, dict):
        raise TypeError(
            'FGSN trains on pairs, but got single images. Use a '
            'CorrespondenceDataset with PackPairInputs, and '
            'PairDataPreProcessor as `data_preprocessor`.'
        )
    img, img2 = inputs['img'], inputs['img2']
    if img.shape != img2.shape:
        raise ValueError(
            'Both images of a training pair should be of one size, but got '
            f'{tuple(img.shape)} and {tuple(img2.shape)}. Add RandomCropPair '
            'to the training pipeline.'
        )
    return img, img2


def ignore_padding(
    labels: Tensor, shapes: Sequence[Any], size: Size, grid: str
) -> Tensor:
    """Give cells on padding no label.

    Padding that the preprocessor adds at the right and at the bottom to make
    a batch is none of the images'; that of a crop is (paper).

    Args:
        labels: (B, h, w) of padded images.
        shapes: B sizes (H', W') before padding, None where it is not known.
        size: (H, W) after padding.
        grid: How cells cover the image.
    """
    for one, shape in zip(labels, shapes):
        if shape is None or tuple(shape[:2]) == tuple(size):
            continue
        for axis in (0, 1):
            at = cell_positions(one.shape[axis], size[axis], grid)
            beyond = (at > shape[axis] - 0.5).to(labels.device)
            one.transpose(0, axis)[beyond] = IGNORED_LABEL
    return labels


def draw_sides(
    batch: int,
    fraction: float | None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Which images carry the gradient (method: ``fraction_reference``).

    Args:
        batch: B.
        fraction: Probability of the reference, else the target. None: both.
        generator: Source of the draws, on the CPU. Defaults to torch's own,
            which the training loop seeds for each iteration.

    Returns:
        (B, 2) bool on the CPU, reference and target: what to run must not
        wait for the device.
    """
    if fraction is None:
        return torch.ones(batch, 2, dtype=torch.bool)
    reference = torch.rand(batch, generator=generator) < fraction
    return torch.stack([reference, ~reference], 1)


def gather(img: Tensor, img2: Tensor, run: Tensor) -> Tensor:
    """The images that are run.

    Args:
        img: (B, 3, H, W) references.
        img2: (B, 3, H, W) targets.
        run: (B, 2) bool with n true values.

    Returns:
        (n, 3, H, W) in reading order.
    """
    pair = (img, img2)
    places = run.nonzero().tolist()
    return torch.stack([pair[side][row] for row, side in places])


def scatter(maps: Tensor, run: Tensor) -> PairMaps:
    """Maps of the images that were run, back at their places.

    Args:
        maps: (n, C, h, w) of the images that were run, in reading order.
        run: (B, 2) bool with n true values.

    Returns:
        B maps of the references and B of the targets, None if not run.
    """
    pair: PairMaps = ([None] * len(run), [None] * len(run))
    fill(pair, maps, run)
    return pair


def fill(pair: PairMaps, maps: Tensor, run: Tensor) -> None:
    """Put maps at the places that ``run`` names, in reading order."""
    for one, (row, side) in zip(maps, run.nonzero().tolist()):
        pair[side][row] = one
