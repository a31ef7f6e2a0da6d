"""Where windows lie along one axis and how much each pixel of one counts."""

from __future__ import annotations

import torch
from torch import Tensor


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
