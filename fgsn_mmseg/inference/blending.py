"""Maps of overlapping windows, blended without leaving their resolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry import cell_positions, grid_of
from .windows import AxisLayout, Span, lay_out

Network = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class BlendedMap:
    """A map of an image at feature resolution and what it stands for.

    A pixel (x, y) of the image lies at cell ``x * (w - 1) / (W' - 1)`` with
    ``align_corners``, else ``(x + 0.5) * w / W' - 0.5``, and likewise in y,
    where (H', W') is the extent. The extent reaches beyond the image by less
    than one cell where windows had to be moved onto a common grid.
    """

    data: Tensor
    """(B, C, h, w)."""
    extent: tuple[int, int]
    """(H', W') in pixels, at least the size of the image."""
    align_corners: bool

    def cells_inside(self, size: tuple[int, int]) -> tuple[int, int]:
        """Count the rows and columns whose centres lie in the image.

        Args:
            size (tuple[int, int]): (H, W) of the image.

        Returns:
            tuple[int, int]: Rows and columns, counted from the first.
        """
        counts = []
        for length, extent, cells in zip(
            size, self.extent, self.data.shape[-2:]
        ):
            at = cell_positions(cells, extent, grid_of(self.align_corners))
            counts.append(int((at <= length - 0.5).sum()))
        return counts[0], counts[1]


@torch.no_grad()
def whole(network: Network, image: Tensor, align_corners: bool) -> BlendedMap:
    """Run a network on whole images.

    Args:
        network (Callable): Maps images (B, 3, H, W) to maps (B, C, h, w).
        image (Tensor): (B, 3, H, W).
        align_corners (bool): How the network's maps lie on images.

    Returns:
        BlendedMap: The map; its extent is (H, W).
    """
    height, width = image.shape[-2:]
    return BlendedMap(network(image), (height, width), align_corners)


@torch.no_grad()
def blend_windows(
    network: Network,
    image: Tensor,
    window: int | tuple[int, int],
    max_stride: int | tuple[int, int],
    align_corners: bool,
    weights: str = 'ramp',
    overlap: int | tuple[int, int] | None = None,
    batch: int = 1,
) -> BlendedMap:
    """Run a network on overlapping windows and blend the maps.

    The maps are averaged cell by cell on one grid, before they are enlarged
    (the authors blend them enlarged). If the pitch of the cells is a whole
    number of pixels the windows are moved onto that grid and nothing is
    resampled, else each map is interpolated at the cells of the grid. An axis
    that is not longer than the window is run as it is.

    Args:
        network (Callable): Maps windows (B', 3, Hw, Ww) to (B', C, hw, ww).
        image (Tensor): (B, 3, H, W).
        window (int | tuple[int, int]): Height and width of a window in
            pixels.
        max_stride (int | tuple[int, int]): Longest steps between windows in
            pixels, see :func:`even_windows`.
        align_corners (bool): How the network's maps lie on windows.
        weights (str): 'ramp': weights that fall linearly towards the ends of
            a window. 'uniform': the mean, as mmseg does.
            Default: 'ramp'.
        overlap (int | tuple[int, int], optional): Length of the ramps in
            pixels. Default: ``window - max_stride + 1``, so that ramps of
            neighbours sum to one (713 and 476: 238, a third of the window).
        batch (int): Windows that the network gets at once. Default: 1.

    Returns:
        BlendedMap: The blended map, of the dtype of the network's maps but
        at least float32 where several windows were averaged.

    Raises:
        ValueError: If ``weights`` is unknown, ``batch`` not positive or a
            step longer than its window.
    """
    if batch < 1:
        raise ValueError(f'`batch` should be at least 1, but got {batch}')
    windows, strides = _pair(window), _pair(max_stride)
    ramps = _ramps(windows, strides, weights, overlap)

    # The pitch of the network's map decides where the other windows lie.
    first = network(image[..., : windows[0], : windows[1]])
    size = image.shape[-2:]
    rows, columns = (
        lay_out(
            size[axis],
            windows[axis],
            strides[axis],
            first.shape[axis - 2],
            align_corners,
            ramps[axis],
        )
        for axis in (0, 1)
    )
    extent = (rows.extent, columns.extent)
    spans = list(product(rows.spans, columns.spans))
    if len(spans) == 1:
        return BlendedMap(first, extent, align_corners)

    dtype = torch.promote_types(first.dtype, torch.float32)
    blended = first.new_zeros(
        (*first.shape[:2], rows.cells, columns.cells), dtype=dtype
    )
    _add(blended, first, *spans[0])
    del first
    padding = (0, extent[1] - size[1], 0, extent[0] - size[0])
    if any(padding):
        image = F.pad(image, padding, mode='replicate')
    for begin in range(1, len(spans), batch):
        group = spans[begin : begin + batch]
        maps = network(_cut(image, group, rows, columns))
        for part, (row, column) in zip(maps.split(len(image)), group):
            _add(blended, part, row, column)
    return BlendedMap(blended, extent, align_corners)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """One number for both axes or one for each."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return height, width


def _ramps(
    windows: tuple[int, int],
    strides: tuple[int, int],
    weights: str,
    overlap: int | tuple[int, int] | None,
) -> tuple[int, int] | tuple[None, None]:
    """Check the options and find the length of the ramps of both axes."""
    # Here, because small images would never show the gaps.
    if any(not 1 <= s <= w for s, w in zip(strides, windows)):
        raise ValueError(
            f'`max_stride` should be from 1 to the window {windows}, '
            f'but got {strides}. A longer step would leave gaps.'
        )
    if weights == 'uniform':
        return None, None
    if weights != 'ramp':
        raise ValueError(
            f"`weights` should be 'ramp' or 'uniform', but got {weights!r}"
        )
    if overlap is not None:
        return _pair(overlap)
    return windows[0] - strides[0] + 1, windows[1] - strides[1] + 1


def _cut(
    image: Tensor,
    group: list[tuple[Span, Span]],
    rows: AxisLayout,
    columns: AxisLayout,
) -> Tensor:
    """Windows of all images, window by window: (windows * B, 3, Hw, Ww)."""
    parts = [
        image[
            ...,
            row.start : row.start + rows.window,
            column.start : column.start + columns.window,
        ]
        for row, column in group
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _add(blended: Tensor, part: Tensor, row: Span, column: Span) -> None:
    """Add the weighted map of one window in place."""
    for dim, span in ((-2, row), (-1, column)):
        if span.source is not None:
            part = _interpolate(part, span.source, dim)
    weights = row.weights[:, None] * column.weights
    target = blended[
        ...,
        row.first : row.first + len(row.weights),
        column.first : column.first + len(column.weights),
    ]
    target.addcmul_(part.to(target.dtype), weights.to(target))


def _interpolate(part: Tensor, source: Tensor, dim: int) -> Tensor:
    """Values of a map at fractional positions along one axis."""
    low = source.long().clamp(max=max(part.shape[dim] - 2, 0))
    high = (low + 1).clamp(max=part.shape[dim] - 1)
    fraction = (source - low).to(part)
    if dim == -2:
        fraction = fraction[:, None]
    below = part.index_select(dim, low.to(part.device))
    above = part.index_select(dim, high.to(part.device))
    return below.lerp_(above, fraction)
