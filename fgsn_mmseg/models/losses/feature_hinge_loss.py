from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...geometry import Size, at_cells, check_grid, match_cells


def sample_negatives(
    points: Tensor,
    num_negatives: int,
    min_distance: float,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """For each match, random other matches that lie far away.

    Args:
        points: (N, 2) in pixels of the reference.
        num_negatives: n, number wanted for each match.
        min_distance: In pixels of the reference.
        generator: Source of the draws, on the CPU.

    Returns:
        Indices of matches and of their negatives, (P,) and (P,) int64; a
        match that has fewer than n candidates gets them all.
    """
    count = len(points)
    far = torch.cdist(points.double(), points.double()) >= min_distance
    order = torch.rand((count, count), generator=generator).to(points.device)
    order, others = order.masked_fill(~far, -1.0).topk(
        min(num_negatives, count), dim=1
    )
    rows = torch.arange(count, device=points.device)[:, None]
    valid = order >= 0
    return rows.expand_as(others)[valid], others[valid]


def feature_hinge(
    features: Tensor,
    features2: Tensor,
    negatives: tuple[Tensor, Tensor] | None = None,
    match_margin: float = 0.8,
    mismatch_margin: float = 0.2,
    num_negatives: int = 0,
) -> Tensor:
    """Hinge on the cosines of matching and of mismatching features.

    The sum over matches of max(match_margin - <f, f2>, 0) plus, for each
    negative, max(<f, f2'> - mismatch_margin, 0) / n; the whole divided by
    (n + 1) times the number of matches.

    Args:
        features: (N, C) of the reference at the matches.
        features2: (N, C) of the target.
        negatives: Indices of matches and of their negatives, (P,) each.
        match_margin: Cosine above which a match costs nothing.
        mismatch_margin: Cosine below which a negative costs nothing.
        num_negatives: n.

    Returns:
        Scalar; zero for N = 0.
    """
    if len(features) == 0:
        return (features.sum() + features2.sum()) * 0
    features = F.normalize(features.float(), dim=1)
    features2 = F.normalize(features2.float(), dim=1)
    cosines = (features * features2).sum(1)
    total = (match_margin - cosines).clamp(min=0).sum()
    if negatives is not None and num_negatives > 0:
        first, second = negatives
        cosines = (features[first] * features2[second]).sum(1)
        wrong = (cosines - mismatch_margin).clamp(min=0).sum()
        total = total + wrong / num_negatives
    return total / ((num_negatives + 1) * len(features))


@MODELS.register_module()
class FeatureHingeLoss(nn.Module):
    """Matching features should be alike, far ones should differ.

    Paper: the feature loss of the cross-season correspondence training, see
    :func:`feature_hinge`; averaged over the pairs of a batch.

    Args:
        match_margin: Cosine above which a match costs nothing.
        mismatch_margin: Cosine below which a negative costs nothing.
        num_negatives: Random other matches taken for each match. Defaults
            to 0, none.
        grid: How cells cover the image, see :mod:`fgsn_mmseg.geometry`.
        min_distance: Least distance of a negative in the reference, in
            pixels. Defaults to 200.
        loss_weight: Weight of the loss. Defaults to 1.0.
        loss_name: Its name in the log; only names with ``loss`` are added
            to the total. Defaults to ``'loss_feat'``.
    """

    compares = True

    def __init__(
        self,
        match_margin: float = 0.8,
        mismatch_margin: float = 0.2,
        num_negatives: int = 0,
        grid: str = 'corners',
        min_distance: float = 200.0,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_feat',
    ) -> None:
        super().__init__()
        if num_negatives < 0:
            raise ValueError(
                '`num_negatives` should not be negative, but got '
                f'{num_negatives}.'
            )
        self.match_margin = match_margin
        self.mismatch_margin = mismatch_margin
        self.num_negatives = num_negatives
        self.grid = check_grid(grid)
        self.min_distance = min_distance
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        features: Tensor | Sequence[Tensor],
        features2: Tensor | Sequence[Tensor],
        points: Sequence[Tensor],
        points2: Sequence[Tensor],
        crop_size: Size,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            features: (B, C, h, w) of the references, or B maps (C, h, w).
            features2: The same of the targets.
            points: B tensors (N, 2), x and y in pixels of the reference.
            points2: B tensors (N, 2) in pixels of the target.
            crop_size: (H, W) of the images.
            generator: Source of the negatives' draws, on the CPU. Defaults
                to torch's own.

        Returns:
            Scalar.
        """
        losses = []
        for one, two, first, second in zip(
            features, features2, points, points2
        ):
            cells, cells2, kept = match_cells(
                first,
                second,
                crop_size,
                one.shape[-2:],
                self.grid,
                map_size2=two.shape[-2:],
            )
            negatives = None
            if self.num_negatives > 0:
                negatives = sample_negatives(
                    first[kept],
                    self.num_negatives,
                    self.min_distance,
                    generator,
                )
            losses.append(
                feature_hinge(
                    at_cells(one, cells),
                    at_cells(two, cells2),
                    negatives,
                    self.match_margin,
                    self.mismatch_margin,
                    self.num_negatives,
                )
            )
        return self.loss_weight * torch.stack(losses).mean()
