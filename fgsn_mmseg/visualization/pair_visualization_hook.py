from __future__ import annotations

import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample

from ..datasets.image_file import read_image


@HOOKS.register_module()
class PairVisualizationHook(Hook):
    """Draw pairs during validation, and images during test.

    Takes the place of mmseg's ``SegVisualizationHook``::

        visualizer = dict(type='PairVisualizer', vis_backends=[...])
        default_hooks = dict(visualization=dict(
            type='PairVisualizationHook', draw=True, interval=10))

    In validation the samples 0, `interval`, 2 * `interval`, ... are drawn,
    the same ones every time, so that they can be followed through training.
    In test every `interval`-th batch is drawn, as mmseg does;
    ``tools/test.py --show-dir`` turns drawing on.

    Args:
        draw: Whether to draw at all. Defaults to False.
        interval: Distance between samples that are drawn. Defaults to 50.
        max_pairs: Samples drawn at most in one validation. Defaults to 8.
        show: Whether to open windows instead of sending the pictures to the
            backends. Defaults to False.
        wait_time: Seconds before a window closes; 0 waits for a key.
            Defaults to 0.
        backend_args: Arguments of the file backend that reads the images.
            Defaults to None.

    Raises:
        ValueError: `interval` or `max_pairs` is below 1.
    """

    def __init__(
        self,
        draw: bool = False,
        interval: int = 50,
        max_pairs: int = 8,
        show: bool = False,
        wait_time: float = 0.0,
        backend_args: dict | None = None,
    ) -> None:
        for name, value in (('interval', interval), ('max_pairs', max_pairs)):
            if value < 1:
                raise ValueError(
                    f'`{name}` should be at least 1, but got {value!r}. Set '
                    '`draw=False` to draw nothing.'
                )
        self.draw = draw
        self.interval = interval
        self.max_pairs = max_pairs
        self.show = show
        self.wait_time = wait_time
        self.backend_args = backend_args
        self._seen = 0  # samples of this validation, on this rank
        self._drawn = 0

    def before_val_epoch(self, runner: Runner) -> None:
        """Start counting anew.

        Args:
            runner: Not used.
        """
        self._seen = self._drawn = 0

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] | None = None,
    ) -> None:
        """Draw the samples of a validation batch that are due.

        Args:
            runner: Runner whose visualizer draws.
            batch_idx: Index of the batch.
            data_batch: Not used.
            outputs: Predictions.
        """
        for output in outputs or ():
            due = self._seen % self.interval == 0
            self._seen += 1
            if self.draw and due and self._drawn < self.max_pairs:
                self._drawn += 1
                self._add(runner, output, 'val')

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] | None = None,
    ) -> None:
        """Draw every ``interval``-th test batch.

        Args:
            runner: Runner whose visualizer draws.
            batch_idx: Index of the batch.
            data_batch: Not used.
            outputs: Predictions.
        """
        if self.draw and self.every_n_inner_iters(batch_idx, self.interval):
            for output in outputs or ():
                self._add(runner, output, 'test')

    def _add(self, runner: Runner, output: SegDataSample, mode: str) -> None:
        """Read the photos of one sample and hand all to the visualizer."""
        path, path2 = output.img_path, output.metainfo.get('img_path2')
        if path2 is None:
            name = f'{mode}_{osp.basename(path)}'  # mmseg's name
            pair = {}
        else:
            name = f'{mode}_{_short_name(path)}--{_short_name(path2)}'
            pair = {'image2': self._read(path2)}
        runner.visualizer.add_datasample(
            name,
            self._read(path),
            data_sample=output,
            show=self.show,
            wait_time=self.wait_time,
            step=runner.iter,
            **pair,
        )

    def _read(self, path: str) -> np.ndarray:
        """Read an image as RGB, not turned, as the network saw it."""
        image = read_image(path, backend_args=self.backend_args)
        return np.ascontiguousarray(image[..., ::-1])


def _short_name(path: str) -> str:
    """Folder and name: the name alone may be that of another season too."""
    folder, name = osp.split(osp.splitext(path)[0])
    return f'{osp.basename(folder)}_{name}'.lstrip('_')
