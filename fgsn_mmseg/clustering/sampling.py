from __future__ import annotations

import torch
from torch import Tensor


def sample_cells(
    cells: Tensor,
    map_size: tuple[int, int],
    num_features: int = 500,
    fraction: float = 0.5,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Choose which features of one image enter the clustering.

    Method: at most ``(1 - fraction) * num_features`` cells that hold a
    correspondence, then random other cells in the same proportion, so that
    their number follows the number of the former.

    Args:
        cells: (N, 2) int64, x and y of the correspondences' cells, all
            inside the map; repeated cells count once.
        map_size: (h, w) of the feature map.
        num_features: Upper limit for one image.
        fraction: Share of random cells in [0, 1]. With 1 all are random.
        generator: Source of the draws, on the CPU.

    Returns:
        (S,) int64 flat indices y * w + x, without repetition, S <=
        ``num_features``.
    """
    height, width = map_size
    at_points = torch.unique(cells[:, 1] * width + cells[:, 0]).cpu()
    num_points = round(num_features * (1 - fraction))
    order = torch.randperm(len(at_points), generator=generator)
    at_points = at_points[order[:num_points]]
    if fraction < 1:
        num_random = round(len(at_points) * fraction / (1 - fraction))
        # Both numbers may have been rounded up.
        num_random = min(num_random, num_features - len(at_points))
    else:
        num_random = num_features
    order = torch.randperm(height * width, generator=generator)
    others = order[~torch.isin(order, at_points)][:num_random]
    return torch.cat([at_points, others])
