from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...geometry import Size, at_cells, check_grid, match_cells, to_cells


def cross_entropy_at(logits: Tensor, cells: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of a map at cells; zero where there are none.

    Args:
        logits: (K, h, w).
        cells: (n, 2) int64, x and y, inside the map.
        labels: (n,) int64 in 0..K-1.

    Returns:
        Scalar, connected to ``logits`` also for n = 0.
    """
    if len(cells) == 0:
        return logits[:0].sum()
    return F.cross_entropy(at_cells(logits, cells), labels)


@MODELS.register_module()
class CorrespondenceLoss(nn.Module):
    """Both images of a correspondence should get the reference's label.

    Paper: section 3.1. For each pair: mean CE(reference logits at the
    reference cells, label of the reference cell) + mean CE(target logits at
    the target cells, label of the reference cell), averaged over the pairs.
    A correspondence with either cell outside its map is dropped; a pair
    without correspondences counts as zero.

    Args:
        grid: How cells cover the image, see :mod:`fgsn_mmseg.geometry`.
            Defaults to ``'corners'``; a head gives its own.
        loss_weight: Weight of the loss. Defaults to 1.0.
        loss_name: Its name in the log; only names with ``loss`` are added
            to the total. Defaults to ``'loss_corr'``.
    """

    compares = False

    def __init__(
        self,
        grid: str = 'corners',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_corr',
    ) -> None:
        super().__init__()
        self.grid = check_grid(grid)
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor | Sequence[Tensor | None],
        logits2: Tensor | Sequence[Tensor | None],
        points: Sequence[Tensor],
        points2: Sequence[Tensor],
        label_map: Tensor,
        crop_size: Size,
    ) -> Tensor:
        """Compute the loss.

        Args:
            logits: (B, K, h, w) of the references, or B maps (K, h, w), None
                for an image that was not run (it adds nothing).
            logits2: The same of the targets.
            points: B tensors (N, 2), x and y in pixels of the reference.
            points2: B tensors (N, 2) in pixels of the target.
            label_map: (B, h, w) int64 cluster labels of the references;
                others than 0..K-1 are ignored.
            crop_size: (H, W) of the images.

        Returns:
            Scalar.
        """
        losses = [
            self.loss_of_pair(*pair, crop_size)
            for pair in zip(logits, logits2, points, points2, label_map)
        ]
        return self.loss_weight * torch.stack(losses).mean()

    def loss_of_pair(
        self,
        logits: Tensor | None,
        logits2: Tensor | None,
        points: Tensor,
        points2: Tensor,
        label_map: Tensor,
        crop_size: Size,
        crop_size2: Size | None = None,
    ) -> Tensor:
        """Unweighted loss of one pair; both images may have one crop size."""
        maps = [one for one in (logits, logits2) if one is not None]
        if not maps:
            raise ValueError('A pair needs the logits of at least one image.')
        first = (logits if logits is not None else maps[0]).shape[-2:]
        second = (logits2 if logits2 is not None else maps[0]).shape[-2:]
        cells, cells2, kept = match_cells(
            points, points2, crop_size, first, self.grid, crop_size2, second
        )
        label_cells, inside = to_cells(
            points[kept], crop_size, label_map.shape[-2:], self.grid
        )
        cells, cells2 = cells[inside], cells2[inside]
        labels = at_cells(label_map, label_cells[inside])
        known = (labels >= 0) & (labels < maps[0].shape[0])
        labels = labels[known]
        loss = torch.zeros((), device=maps[0].device)
        if logits is not None:
            loss = loss + cross_entropy_at(logits, cells[known], labels)
        if logits2 is not None:
            loss = loss + cross_entropy_at(logits2, cells2[known], labels)
        return loss
