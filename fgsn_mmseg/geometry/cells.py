"""Pixels and the cells of a map that covers an image: torch, on the device.

A map of (h, w) cells covers an image of (H, W) pixels in one of three ways:

- ``'corners'``: the first and last cells lie on the first and last pixels
  (``align_corners=True``): x * (w - 1) / (W - 1).
- ``'centers'``: each cell covers W / w pixels (``align_corners=False``):
  (x + 0.5) * w / W - 0.5.
- ``'authors'``: x * w / W of the whole pixel nearest to the point, as the
  authors' code has it, up to 0.87 of a cell off; for comparisons only.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .pixels import Size

GRIDS = ('corners', 'centers', 'authors')


def check_grid(grid: str) -> str:
    """Return ``grid`` if there is such a one, else raise ValueError."""
    if grid not in GRIDS:
        raise ValueError(f'`grid` should be one of {GRIDS}, but got {grid!r}.')
    return grid


def grid_of(align_corners: bool) -> str:
    """The grid of maps that are enlarged with this ``align_corners``."""
    return 'corners' if align_corners else 'centers'


def cells_at(positions: Tensor, cells: int, extent: int, grid: str) -> Tensor:
    """Where pixels lie on a map, along one axis.

    Args:
        positions: Pixel positions of any shape.
        cells: Number of cells of the map.
        extent: Number of pixels that the map stands for.
        grid: ``'corners'``, ``'centers'`` or ``'authors'``.

    Returns:
        Fractional cell coordinates, float64, not clamped to the map.
    """
    positions = positions.double()
    if grid == 'corners':
        return positions * (cells - 1) / max(extent - 1, 1)
    if grid == 'centers':
        return (positions + 0.5) * cells / extent - 0.5
    check_grid(grid)
    return torch.floor(positions + 0.5) * cells / extent


def cell_positions(cells: int, extent: int, grid: str) -> Tensor:
    """Inverse of :func:`cells_at`: pixel positions (cells,) of the cells."""
    index = torch.arange(cells, dtype=torch.float64)
    if check_grid(grid) == 'corners':
        return index * (extent - 1) / max(cells - 1, 1)
    if grid == 'centers':
        return (index + 0.5) * extent / cells - 0.5
    return index * extent / cells


def to_map(
    points: Tensor, crop_size: Size, map_size: Size, grid: str
) -> Tensor:
    """Pixel coordinates to fractional cell coordinates.

    Args:
        points: (N, 2) x and y in pixels.
        crop_size: (H, W) of the image.
        map_size: (h, w) of the map.
        grid: ``'corners'``, ``'centers'`` or ``'authors'``.

    Returns:
        (N, 2) float64 x and y in cells.
    """
    x, y = points.unbind(1)
    return torch.stack(
        [
            cells_at(x, map_size[1], crop_size[1], grid),
            cells_at(y, map_size[0], crop_size[0], grid),
        ],
        dim=1,
    )


def to_cells(
    points: Tensor, crop_size: Size, map_size: Size, grid: str
) -> tuple[Tensor, Tensor]:
    """Nearest cell of each point, rounded half up.

    Args:
        points: (N, 2) x and y in pixels of the image.
        crop_size: (H, W) of the image.
        map_size: (h, w) of the map.
        grid: ``'corners'``, ``'centers'`` or ``'authors'``.

    Returns:
        Cells (N, 2) int64, x and y, and whether each lies inside the map,
        (N,) bool.
    """
    cells = torch.floor(to_map(points, crop_size, map_size, grid) + 0.5).long()
    limits = cells.new_tensor([map_size[1], map_size[0]])
    return cells, ((cells >= 0) & (cells < limits)).all(1)


def match_cells(
    points: Tensor,
    points2: Tensor,
    crop_size: Size,
    map_size: Size,
    grid: str,
    crop_size2: Size | None = None,
    map_size2: Size | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Cells of correspondences whose two cells both lie inside.

    Args:
        points: (N, 2) in the reference.
        points2: (N, 2) in the target.
        crop_size: (H, W) of the reference.
        map_size: (h, w) of the reference's map.
        grid: See :func:`to_cells`.
        crop_size2: The same of the target. Defaults to the reference's.
        map_size2: The same of the target. Defaults to the reference's.

    Returns:
        Cells (n, 2) and (n, 2), and which correspondences were kept,
        (N,) bool with n true values.
    """
    cells, inside = to_cells(points, crop_size, map_size, grid)
    cells2, inside2 = to_cells(
        points2, crop_size2 or crop_size, map_size2 or map_size, grid
    )
    kept = inside & inside2
    return cells[kept], cells2[kept], kept


def at_cells(maps: Tensor, cells: Tensor) -> Tensor:
    """Values of a map (..., h, w) at cells (n, 2): (n, ...)."""
    return maps[..., cells[:, 1], cells[:, 0]].movedim(-1, 0)


def at_points(
    maps: Tensor, points: Tensor, crop_size: Size, grid: str
) -> Tensor:
    """Bilinear interpolation of a map at sub-pixel points.

    Args:
        maps: (C, h, w).
        points: (N, 2) in pixels; outside of the map its border counts.
        crop_size: (H, W) of the image that the map covers.
        grid: See :func:`to_cells`.

    Returns:
        (N, C).
    """
    height, width = maps.shape[-2:]
    cells = to_map(points, crop_size, (height, width), grid)
    scale = cells.new_tensor([max(width - 1, 1), max(height - 1, 1)])
    normed = (cells * 2 / scale - 1).to(maps.dtype)
    values = F.grid_sample(
        maps[None],
        normed[None, None],
        padding_mode='border',
        align_corners=True,
    )
    return values[0, :, 0].T


def resample_labels(labels: Tensor, size: Size, grid: str) -> Tensor:
    """Label map at another resolution of the same image (nearest cell).

    Args:
        labels: (B, h, w).
        size: (h', w') wanted.
        grid: See :func:`to_cells`.

    Returns:
        (B, h', w').
    """
    old = labels.shape[-2:]
    if tuple(old) == tuple(size):
        return labels
    rows, columns = (
        nearest_cells(cells, new, grid).to(labels.device)
        for cells, new in zip(old, size)
    )
    return labels[:, rows[:, None], columns]


def nearest_cells(cells: int, size: int, grid: str) -> Tensor:
    """Nearest cell of each pixel along one axis, (size,) int64.

    Args:
        cells: Number of cells of the map.
        size: Number of pixels of the same extent.
        grid: ``'corners'``, or the other two: both maps fill the same area.
    """
    at = cells_at(torch.arange(size), cells, size, grid_of(grid == 'corners'))
    return torch.floor(at + 0.5).long().clamp(0, cells - 1)


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
        pixels = cell_positions(size, length, grid_of(align_corners))
        pixels = pixels.clamp(0, length - 1)
    elif mode == 'nearest':
        pixels = (torch.arange(size) * length // size).double()
    else:
        raise ValueError(
            f"`mode` should be 'bilinear' or 'nearest', but got {mode!r}"
        )
    if flip:
        pixels = length - 1 - pixels
    at = cells_at(start + pixels, cells, extent, grid_of(align_corners))
    # Beyond its outer cells a map is constant, as in `F.interpolate`.
    return at.clamp(0, cells - 1)
