"""Along one axis: where the cells of a map and the pixels of images lie."""

from __future__ import annotations

import torch
from torch import Tensor


def cell_positions(cells: int, extent: int, align_corners: bool) -> Tensor:
    """Pixel positions of the cells of a map.

    Args:
        cells (int): Number of cells.
        extent (int): Number of pixels that the map stands for.
        align_corners (bool): Whether the outer cells lie on the centres of
            the outer pixels (else the outer borders coincide).

    Returns:
        Tensor: (cells,) float64, 0 = centre of the first pixel.
    """
    index = torch.arange(cells, dtype=torch.float64)
    if align_corners:
        return index * (extent - 1) / max(cells - 1, 1)
    return (index + 0.5) * extent / cells - 0.5


def cells_at(
    positions: Tensor, cells: int, extent: int, align_corners: bool
) -> Tensor:
    """Inverse of :func:`cell_positions`: where pixels lie on a map.

    Args:
        positions (Tensor): Pixel positions of any shape, 0 = centre of the
            first pixel.
        cells (int): Number of cells of the map.
        extent (int): Number of pixels that the map stands for.
        align_corners (bool): As in :func:`cell_positions`.

    Returns:
        Tensor: Cell coordinates, float64, clamped to [0, cells - 1]: beyond
        its outer cells a map is constant, as in ``F.interpolate``.
    """
    positions = positions.double()
    if align_corners:
        found = positions * (cells - 1) / max(extent - 1, 1)
    else:
        found = (positions + 0.5) * cells / extent - 0.5
    return found.clamp(0, cells - 1)


def pixel_cells(
    cells: int,
    extent: int,
    align_corners: bool,
    length: int | None = None,
    start: int = 0,
    size: int | None = None,
    mode: str = 'bilinear',
    flip: bool = False,
) -> Tensor:
    """Where the pixels of a result lie on a map.

    A map stands for ``extent`` pixels of the network's input, of which
    ``length`` pixels from ``start`` on are the image and the rest padding.
    The result is the image, flipped back and resized to ``size`` pixels.

    Args:
        cells (int): Number of cells of the map.
        extent (int): Number of pixels that the map stands for.
        align_corners (bool): How the map lies on pixels, and, as in mmseg,
            how the image is resized to the result.
        length (int, optional): Length of the image. Default: what is left of
            the extent from ``start`` on.
        start (int): First pixel of the image. Default: 0.
        size (int, optional): Length of the result. Default: ``length``.
        mode (str): 'bilinear': pixels of the result lie between pixels of
            the image. 'nearest': at the pixel that ``F.interpolate`` takes
            in this mode. Default: 'bilinear'.
        flip (bool): Whether the image was mirrored along this axis for the
            network. Default: False.

    Returns:
        Tensor: (size,) float64 cell coordinates in [0, cells - 1].

    Raises:
        ValueError: If the mode is unknown or the image exceeds the extent.
    """
    if length is None:
        length = extent - start
    if size is None:
        size = length
    if not 0 <= start < start + length <= extent:
        raise ValueError(
            f'`start` and `length` should be a part of the {extent} pixels of '
            f'the map, but got {start} and {length}'
        )
    if mode == 'bilinear':
        pixels = cell_positions(size, length, align_corners)
        pixels = pixels.clamp(0, length - 1)
    elif mode == 'nearest':
        pixels = (torch.arange(size) * length // size).double()
    else:
        raise ValueError(
            f"`mode` should be 'bilinear' or 'nearest', but got {mode!r}"
        )
    if flip:
        pixels = length - 1 - pixels
    return cells_at(start + pixels, cells, extent, align_corners)
