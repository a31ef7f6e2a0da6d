"""Which pixels lie between which two cells of an axis."""

from __future__ import annotations

import torch
from torch import Tensor


class PixelTable:
    """Pixels of one axis, sorted into patches.

    A patch is what lies between two neighbouring cells, or a part of that
    after :meth:`halved`. Rows of the tables are patches, columns slots for
    their pixels in ascending order; where a patch has fewer pixels its last
    one is repeated.

    Args:
        fraction (Tensor): (patches, slots) float64 way from the first cell of
            the patch to the second, in [0, 1].
        pixel (Tensor): (patches, slots) int64 numbers of the pixels.
        cell (Tensor): (patches,) int64 first cell of each patch.
    """

    def __init__(self, fraction: Tensor, pixel: Tensor, cell: Tensor) -> None:
        self.fraction = fraction
        self.pixel = pixel
        self.cell = cell

    @classmethod
    def from_positions(cls, at: Tensor, cells: int, name: str) -> PixelTable:
        """Sort pixels into the patches between cells.

        Args:
            at (Tensor): (n,) positions of the pixels in cells, in
                [0, cells - 1], in any order.
            cells (int): Number of cells of the axis.
            name (str): What to call the positions in an error.

        Returns:
            PixelTable: Patches that hold a pixel, in ascending order, on the
            CPU.

        Raises:
            ValueError: If the positions are not as above.
        """
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
        at, pixel = at.sort(stable=True)
        # The last cell ends the last patch. A single cell is a patch alone.
        cell, counts = (
            at.long()
            .clamp(max=max(cells - 2, 0))
            .unique_consecutive(return_counts=True)
        )
        slot = torch.arange(int(counts.max()))
        index = (counts.cumsum(0) - counts)[:, None]
        index = index + torch.minimum(slot, counts[:, None] - 1)
        return cls(at[index] - cell[:, None], pixel[index], cell)

    @property
    def slots(self) -> int:
        """Largest number of pixels in a patch."""
        return self.pixel.shape[1]

    def halved(self) -> PixelTable:
        """Split every patch into two, which follow each other.

        Returns:
            PixelTable: Twice as many patches with half the slots, rounded up:
            the halves of an odd number of slots share the middle one.
        """
        half = -(-self.slots // 2)
        fraction, pixel = (
            torch.stack([table[:, :half], table[:, -half:]], 1).flatten(0, 1)
            for table in (self.fraction, self.pixel)
        )
        return PixelTable(fraction, pixel, self.cell.repeat_interleave(2))

    def part(self, first: int, last: int) -> PixelTable:
        """Take the patches with first cells in [first, last), renumbered."""
        chosen = (self.cell >= first) & (self.cell < last)
        return PixelTable(
            self.fraction[chosen],
            self.pixel[chosen],
            self.cell[chosen] - first,
        )

    def to(self, device: torch.device, dtype: torch.dtype) -> PixelTable:
        """Move to a device, with fractions of a floating-point type."""
        return PixelTable(
            self.fraction.to(device, dtype),
            self.pixel.to(device),
            self.cell.to(device),
        )
