"""Which pixels lie between which two cells of an axis."""

from __future__ import annotations

import torch
from torch import Tensor


class PixelTable:
    """Pixels of one axis, sorted into the patches between cells.

    Args:
        at (Tensor): (n,) cell coordinates in [0, cells - 1], in any order.
        cells (int): Number of cells of the axis.
        name (str): What to call the coordinates in an error.

    Raises:
        ValueError: If the coordinates are not as above.
    """

    def __init__(self, at: Tensor, cells: int, name: str) -> None:
        at = at.detach().cpu().double()
        if at.ndim != 1 or not len(at):
            raise ValueError(
                f'`{name}` should have shape (n,) with n > 0, '
                f'but got {tuple(at.shape)}'
            )
        if not 0 <= float(at.min()) <= float(at.max()) <= cells - 1:
            raise ValueError(
                f'`{name}` should be in [0, {cells - 1}], but got '
                f'{float(at.min())} to {float(at.max())}'
            )
        self.patch = at.long().clamp(max=max(cells - 2, 0))
        """(n,) patch of each pixel, which lies between cells p and p + 1."""
        order = self.patch.argsort(stable=True)
        counts = torch.bincount(self.patch, minlength=max(cells - 1, 1))
        before = counts.cumsum(0) - counts
        self.slot = torch.empty_like(order)
        """(n,) number of each pixel among those of its patch."""
        self.slot[order] = torch.arange(len(at)) - before[self.patch[order]]
        self.slots = int(counts.max())
        """Largest number of pixels in a patch."""
        self.fraction = at.new_zeros(len(counts), self.slots)
        """(patches, slots) way from the patch's first to its second cell."""
        self.fraction[self.patch, self.slot] = at - self.patch
