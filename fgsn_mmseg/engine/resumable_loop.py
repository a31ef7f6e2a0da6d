from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.runner import IterBasedTrainLoop
from mmseg.registry import LOOPS
from torch.utils.data import DataLoader

from .seeded_data import SeededDataset, SeededInfiniteSampler
from .seeding import derive_seed, shared_seed


class PositionedIterator:
    """Batches of a loader from one on; those before it cost nothing.

    mmengine's loop asks for every batch of the past once more before it goes
    on. Here these first calls return None and no image is read.

    Args:
        dataloader: With a :class:`SeededInfiniteSampler`.
        start: Number of batches to leave out.
    """

    def __init__(self, dataloader: DataLoader, start: int) -> None:
        self.dataloader = dataloader
        self.dataset = dataloader.dataset
        self.start = self.left = start
        self.iterator: Any = None

    def __iter__(self) -> PositionedIterator:
        return self

    def __next__(self) -> Any:
        if self.left > 0:
            self.left -= 1
            return None
        if self.iterator is None:
            batches: Any = self.dataloader.batch_sampler
            batches.sampler.start = self.start * batches.batch_size
            self.iterator = iter(self.dataloader)
        return next(self.iterator)


@LOOPS.register_module()
class ResumableIterBasedTrainLoop(IterBasedTrainLoop):
    """``IterBasedTrainLoop`` that resumes exactly and at once.

    Batches, augmentations and dropout of iteration i depend on (seed, i)
    alone, so a run that was stopped and resumed from a checkpoint goes on as
    though it had never stopped, on any number of loader workers.

    Args:
        runner: The runner.
        dataloader: Config with ``InfiniteSampler``, or a loader that has a
            :class:`SeededInfiniteSampler`.
        **kwargs: See :class:`IterBasedTrainLoop`.
    """

    def __init__(
        self, runner: Any, dataloader: DataLoader | dict, **kwargs: Any
    ) -> None:
        loader: Any = dataloader
        if isinstance(dataloader, dict):
            loader = runner.build_dataloader(
                self.seeded(dataloader), seed=runner.seed
            )
        sampler = loader.sampler
        if not isinstance(sampler, SeededInfiniteSampler):
            raise TypeError(
                '`sampler` of the training loader should be '
                f'SeededInfiniteSampler, but got {type(sampler).__name__}. '
                'Use IterBasedTrainLoop for other samplers.'
            )
        # mmengine starts an iteration here, before it knows where a resumed
        # run goes on: this one starts no worker and reads nothing.
        super().__init__(runner, PositionedIterator(loader, 0), **kwargs)
        self.dataloader: Any = loader

    @staticmethod
    def seeded(config: dict) -> dict:
        """The loader's config with seeded draws; the given one stays."""
        sampler = dict(config.get('sampler') or {})
        kind = sampler.get('type', 'InfiniteSampler')
        if kind not in ('InfiniteSampler', 'SeededInfiniteSampler'):
            raise ValueError(
                '`train_dataloader.sampler` should be InfiniteSampler, but '
                f'got {kind!r}. Use IterBasedTrainLoop for other samplers.'
            )
        sampler['type'] = 'SeededInfiniteSampler'
        dataset = config['dataset']
        if isinstance(dataset, dict):
            dataset = dict(type='SeededDataset', dataset=dataset)
        else:
            dataset = SeededDataset(dataset)
        return {**config, 'sampler': sampler, 'dataset': dataset}

    def run(self) -> Any:
        """Launch training, or go on with it."""
        # A resumed run takes its seed from the checkpoint.
        self.dataloader.sampler.seed = shared_seed(self.runner.seed)
        self.dataloader_iterator = PositionedIterator(
            self.dataloader, self._iter
        )
        return super().run()

    def run_iter(self, data_batch: Any) -> None:
        """Run one iteration with random states of its own."""
        torch.manual_seed(
            derive_seed('step', self.runner.seed, self._iter, get_rank())
        )
        super().run_iter(data_batch)
