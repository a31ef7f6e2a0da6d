from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.runner import IterBasedTrainLoop
from mmseg.registry import LOOPS
from torch.utils.data import DataLoader

from .seeded_data import SeededDataset, SeededInfiniteSampler
from .seeding import derive_seed, shared_seed


@LOOPS.register_module()
class ResumableIterBasedTrainLoop(IterBasedTrainLoop):
    """``IterBasedTrainLoop`` that resumes exactly and at once.

    Batches, augmentations and dropout of iteration i depend on (seed, i)
    alone, so a run that was stopped and resumed from a checkpoint goes on as
    though it had never stopped, on any number of loader workers. A validation
    that was due when it stopped is made up for.

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
        idle = DataLoader(
            loader.dataset, sampler=[], generator=torch.Generator()
        )
        super().__init__(runner, idle, **kwargs)
        self.dataloader: Any = loader

    @staticmethod
    def seeded(config: dict) -> dict:
        """The loader's config with seeded draws; the given one stays."""
        sampler = dict(config.get('sampler') or {})
        kind = sampler.get('type', 'InfiniteSampler')
        kind = getattr(kind, '__name__', kind)  # pure Python configs
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
        """Launch training, or go on with it.

        Returns:
            The model.
        """
        runner, start = self.runner, self._iter
        runner.call_hook('before_train')
        runner.call_hook('before_train_epoch')
        if start > 0:
            # The checkpoint may be older than its own validation.
            self.validate_if_due()
        if start < self._max_iters:
            sampler = self.dataloader.sampler
            # A resumed run takes its seed from the checkpoint.
            sampler.seed = shared_seed(runner.seed)
            sampler.start = start * self.dataloader.batch_size
            self.dataloader_iterator = iter(self.dataloader)
        while self._iter < self._max_iters and not self.stop_training:
            runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self.validate_if_due()
        runner.call_hook('after_train_epoch')
        runner.call_hook('after_train')
        return runner.model

    def validate_if_due(self) -> None:
        """Validate, unless it is too early or the checkpoint says it is done.

        What is saved during a validation, after its figures are known, says
        so: a resumed run does not repeat it.
        """
        self._decide_current_val_interval()
        due = self._iter >= self.val_begin and (
            self._iter % self.val_interval == 0
            or self._iter == self._max_iters
        )
        hub, done = self.runner.message_hub, 'validated_iter'
        known = hub.runtime_info.get(done)
        if self.runner.val_loop is None or not due or known == self._iter:
            return
        hub.update_info(done, self._iter)
        self.runner.val_loop.run()

    def run_iter(self, data_batch: Any) -> None:
        """Run one iteration with random states of its own."""
        torch.manual_seed(
            derive_seed('step', self.runner.seed, self._iter, get_rank())
        )
        super().run_iter(data_batch)
