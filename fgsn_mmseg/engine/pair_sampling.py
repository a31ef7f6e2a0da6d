"""Training pairs as a clustering sees them: few, whole crops, both images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import get_dist_info

from ..clustering import FeatureReservoir
from ..geometry import at_cells, match_cells
from .seeding import derive_seed, scoped_seed

Seeds = tuple[int, int]
"""The run's seed and the iteration."""


def drawn_pairs(
    runner: Any, model: Any, num_pairs: int, seeds: Seeds
) -> Iterator[tuple[int, dict]]:
    """This rank's share of pairs drawn from the training set.

    They come through the training pipeline, which crops as in training.

    Args:
        runner: With the loader of the training set.
        model: With the data preprocessor.
        num_pairs: Number of pairs on all ranks, at most.
        seeds: Which pairs and which crops.

    Yields:
        Number of the pair, the same on any number of ranks, and what the
        preprocessor makes of it.
    """
    dataset = runner.train_dataloader.dataset
    generator = torch.Generator().manual_seed(derive_seed('pairs', *seeds))
    order = torch.randperm(len(dataset), generator=generator)[:num_pairs]
    rank, world_size = get_dist_info()
    for number in range(rank, len(order), world_size):
        with scoped_seed(derive_seed('pair', *seeds, number)):
            sample = dataset[int(order[number])]
        batch = pseudo_collate([sample])
        yield number, model.data_preprocessor(batch, False)


@torch.no_grad()
def sample_pairs(
    runner: Any,
    model: Any,
    reservoir: FeatureReservoir,
    num_pairs: int,
    features_per_pair: int,
    seeds: Seeds,
) -> None:
    """Offer corresponding features of this rank's pairs to a reservoir.

    Every pair of images gives at most as many, so that a place with many
    correspondences does not outweigh the others.

    Args:
        runner: See :func:`drawn_pairs`.
        model: A :class:`~fgsn_mmseg.engine.feature_sampling.ClusterableModel`
            in eval mode.
        reservoir: Where they go, rows (S, 2 C), reference and target.
        num_pairs: See :func:`drawn_pairs`.
        features_per_pair: Upper limit.
        seeds: See :func:`drawn_pairs`.
    """
    generator = torch.Generator()
    for number, data in drawn_pairs(runner, model, num_pairs, seeds):
        (sample,) = data['data_samples']
        both = [
            model.clustering_features(data['inputs'][key])
            for key in ('img', 'img2')
        ]
        cells, cells2, _ = match_cells(
            sample.points,
            sample.points2,
            both[0].extent,
            both[0].data.shape[-2:],
            model.grid,
            both[1].extent,
            both[1].data.shape[-2:],
        )
        seed = derive_seed('matches', *seeds, number)
        order = torch.randperm(
            len(cells), generator=generator.manual_seed(seed)
        )
        chosen = order[:features_per_pair].to(cells.device)
        rows = torch.cat(
            [
                at_cells(both[0].data[0], cells[chosen]),
                at_cells(both[1].data[0], cells2[chosen]),
            ],
            1,
        )
        reservoir.add(
            number, rows.float().cpu().numpy(), derive_seed('keys', seed)
        )
