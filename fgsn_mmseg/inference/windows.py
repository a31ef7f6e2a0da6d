"""Where windows lie along one axis, what they weigh, and their common grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..geometry import cell_positions, cells_at, grid_of


def even_windows(length: int, window: int, max_stride: int) -> list[int]:
    """Starts of the fewest windows that cover an axis, evenly spread.

    Args:
        length (int): Length of the axis in pixels.
        window (int): Length of a window in pixels.
        max_stride (int): Longest step from a window to the next in pixels,
            at most ``window``.

    Returns:
        list[int]: Ascending starts, rounded down. The first is 0 and the last
        window ends at the border. ``[0]`` where the axis is not longer than
        the window.

    Raises:
        ValueError: If a length is not positive or ``max_stride`` is longer
            than the window, which would leave gaps.

    Example:
        >>> even_windows(1365, 713, 476)
        [0, 326, 652]
    """
    for name, value in (('length', length), ('window', window)):
        if value < 1:
            raise ValueError(f'`{name}` should be at least 1, but got {value}')
    if not 1 <= max_stride <= window:
        raise ValueError(
            f'`max_stride` should be from 1 to the window length {window}, '
            f'but got {max_stride}. A longer step would leave gaps.'
        )
    span = length - window
    if span <= 0:
        return [0]
    steps = -(-span // max_stride)
    return [i * span // steps for i in range(steps + 1)]


def linear_ramp(length: int, overlap: int) -> Tensor:
    """Weights that rise linearly from both ends of a window.

    Args:
        length (int): Number of pixels.
        overlap (int): Number of pixels over which the weight rises from
            ``1 / overlap`` to 1. May exceed half the length: the two ramps
            then meet below 1.

    Returns:
        Tensor: Weights (length,) in (0, 1], float32.

    Raises:
        ValueError: If ``length`` or ``overlap`` is not positive.
    """
    if length < 1:
        raise ValueError(f'`length` should be at least 1, but got {length}')
    return ramp_at(torch.arange(length), length, overlap).float()


def ramp_at(positions: Tensor, length: int, overlap: int) -> Tensor:
    """Evaluate the ramp of :func:`linear_ramp` between pixels.

    Args:
        positions (Tensor): Any shape, in pixels of the window, 0 = centre of
            the first pixel, in [-0.5, length - 0.5].
        length (int): Length of the window in pixels.
        overlap (int): Number of pixels of each ramp.

    Returns:
        Tensor: Weights of the shape of ``positions`` in (0, 1], float64.

    Raises:
        ValueError: If ``overlap`` is not positive.
    """
    if overlap < 1:
        raise ValueError(f'`overlap` should be at least 1, but got {overlap}')
    positions = positions.double()
    rise = torch.minimum(positions + 1, length - positions)
    return (rise / overlap).clamp(max=1)


@dataclass(frozen=True)
class Span:
    """What one window gives to the common grid along one axis."""

    start: int
    """First pixel of the window."""
    first: int
    """First cell of the common grid that lies in the window."""
    weights: Tensor
    """(n,) float64, one for each covered cell. Over all windows the weights
    of a cell sum to 1."""
    source: Tensor | None
    """(n,) float64 positions of the covered cells in the window's own map, or
    None where these are the map's cells themselves."""


@dataclass(frozen=True)
class AxisLayout:
    """Windows and common grid along one axis."""

    extent: int
    """Length in pixels to which the image must be padded."""
    window: int
    """Length of every window in pixels."""
    cells: int
    """Number of cells of the common grid."""
    spans: list[Span]


def lay_out(
    length: int,
    window: int,
    max_stride: int,
    map_cells: int,
    align_corners: bool,
    overlap: int | None = None,
) -> AxisLayout:
    """Place windows and the common grid along one axis.

    Neighbouring cells of a window's map are ``(window - 1) / (map_cells - 1)``
    pixels apart with ``align_corners``, else ``window / map_cells``. If that
    is a whole number, the windows are moved onto multiples of it, so that
    cells of overlapping windows coincide; the last one may then end up to a
    pitch less one pixel beyond the image. Else the grid spans the image, with
    the nearest pitch that fits, and windows are to be resampled.

    Args:
        length (int): Length of the axis in pixels.
        window (int): Length of a window; a shorter axis has a single window
            of its own length.
        max_stride (int): Longest step between windows, see
            :func:`even_windows`. Their number follows from it, and moving
            them onto the grid may lengthen a step by less than one pitch.
        map_cells (int): Cells of a window's map.
        align_corners (bool): How the maps lie on windows.
        overlap (int, optional): Pixels over which weights rise linearly from
            the window's ends. None: every window weighs the same.

    Returns:
        AxisLayout: The windows on the grid.
    """
    window = min(window, length)
    starts = even_windows(length, window, min(max_stride, window))
    extent, cells, firsts = _common_grid(
        length, window, starts, map_cells, align_corners
    )
    grid = cell_positions(cells, extent, grid_of(align_corners))
    if firsts is None:
        spans = [
            _resampled_span(start, window, map_cells, grid, align_corners)
            for start in starts
        ]
    else:
        pitch = (extent - window) // max(cells - map_cells, 1)
        spans = [
            Span(first * pitch, first, torch.ones(map_cells).double(), None)
            for first in firsts
        ]
    if overlap is not None:
        spans = [_ramped(span, grid, window, overlap) for span in spans]
    return AxisLayout(extent, window, cells, _normalised(spans, cells))


def _common_grid(
    length: int,
    window: int,
    starts: list[int],
    map_cells: int,
    align_corners: bool,
) -> tuple[int, int, list[int] | None]:
    """Extent, number of cells, and the first cell of each window.

    The first cells are None where windows have to be resampled.
    """
    if len(starts) == 1:
        return length, map_cells, [0]
    # Pixels from the first to the last cell, or from border to border.
    pixels, steps = window - align_corners, map_cells - align_corners
    if steps > 0 and pixels % steps == 0:
        pitch = pixels // steps
        last = -(-(length - window) // pitch)  # in cells
        firsts = [i * last // (len(starts) - 1) for i in range(len(starts))]
        return last * pitch + window, last + map_cells, firsts
    # A map of a single cell says nothing of its pitch.
    steps_per_pixel = max(steps, 1) / pixels
    steps = max(round((length - align_corners) * steps_per_pixel), 1)
    return length, steps + align_corners, None


def _resampled_span(
    start: int,
    window: int,
    map_cells: int,
    grid: Tensor,
    align_corners: bool,
) -> Span:
    """Cells of the common grid in a window and where they lie on its map."""
    inside = (grid >= start - 0.5) & (grid <= start + window - 0.5)
    positions = grid[inside] - start
    first = int(inside.double().argmax())
    layout = grid_of(align_corners)
    source = cells_at(positions, map_cells, window, layout)
    # Beyond its outer cells a map is not known, only repeated: that counts
    # only where no other window knows better.
    outer = cell_positions(map_cells, window, layout)
    known = (positions >= outer[0]) & (positions <= outer[-1])
    weights = torch.where(known, 1.0, 1e-6).double()
    return Span(start, first, weights, source.clamp(0, map_cells - 1))


def _ramped(span: Span, grid: Tensor, window: int, overlap: int) -> Span:
    """Multiply the weights by the linear ramps."""
    covered = grid[span.first : span.first + len(span.weights)]
    ramp = ramp_at(covered - span.start, window, overlap)
    return replace(span, weights=span.weights * ramp)


def _normalised(spans: list[Span], cells: int) -> list[Span]:
    """Make the weights of each cell sum to 1 over the windows."""
    total = torch.zeros(cells, dtype=torch.float64)
    slices = [
        slice(span.first, span.first + len(span.weights)) for span in spans
    ]
    for span, covered in zip(spans, slices):
        total[covered] += span.weights
    return [
        replace(span, weights=span.weights / total[covered])
        for span, covered in zip(spans, slices)
    ]
