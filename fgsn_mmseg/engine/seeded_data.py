"""Samples that depend on the seed and their place in the run alone."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmseg.registry import DATA_SAMPLERS, DATASETS
from torch.utils.data import Dataset, Sampler

from .seeding import derive_seed, scoped_seed


class Draw(int):
    """Index of a sample that carries the seed of its random transforms."""

    seed: int

    def __new__(cls, index: int, seed: int = 0) -> Draw:
        """Make an index that is an int for everyone else."""
        draw = super().__new__(cls, index)
        draw.seed = seed
        return draw

    def __reduce__(self) -> tuple:
        return Draw, (int(self), self.seed)


@DATA_SAMPLERS.register_module()
class SeededInfiniteSampler(Sampler):
    """mmengine's ``InfiniteSampler`` that can start anywhere at no cost.

    The n-th draw of the whole run is a function of (seed, n), on any number
    of ranks.

    Args:
        dataset: The dataset.
        shuffle: Whether each round through the data has an order of its own.
        seed: Same seed, same draws. Defaults to 0.
    """

    def __init__(
        self, dataset: Sized, shuffle: bool = True, seed: int | None = None
    ) -> None:
        self.rank, self.world_size = get_dist_info()
        self.size = len(dataset)
        self.shuffle = shuffle
        self.seed = seed or 0
        self.start = 0
        """Draws of this rank to leave out."""
        if self.size == 0:
            raise ValueError(
                'The training set should have samples, but it is empty. '
                'Look at its `ann_file`.'
            )

    def order(self, round_: int) -> list[int]:
        """Indices of one round through the data."""
        if not self.shuffle:
            return list(range(self.size))
        generator = torch.Generator()
        generator.manual_seed(derive_seed('order', self.seed, round_))
        return torch.randperm(self.size, generator=generator).tolist()

    def __iter__(self) -> Iterator[Draw]:
        number = self.rank + self.start * self.world_size
        round_, order = -1, []
        while True:
            if number // self.size != round_:
                round_ = number // self.size
                order = self.order(round_)
            seed = derive_seed('sample', self.seed, number)
            yield Draw(order[number % self.size], seed)
            number += self.world_size

    def __len__(self) -> int:
        """Length of the dataset."""
        return self.size

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: there are no epochs."""


@DATASETS.register_module()
class SeededDataset(Dataset):
    """A dataset whose random transforms follow the seed of each draw.

    Args:
        dataset: Dataset or its config.
    """

    def __init__(self, dataset: Any) -> None:
        if isinstance(dataset, dict):
            dataset = DATASETS.build(dataset)
        self.dataset = dataset

    @property
    def metainfo(self) -> dict:
        """Meta information of the dataset inside."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Read the annotations of the dataset inside."""
        if hasattr(self.dataset, 'full_init'):
            self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        if not isinstance(index, Draw):
            return self.dataset[index]
        with scoped_seed(index.seed):
            return self.dataset[int(index)]
