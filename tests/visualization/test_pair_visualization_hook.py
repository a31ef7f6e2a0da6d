import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import PixelData
from torch.utils.data import DataLoader

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.structures import PairDataSample
from fgsn_mmseg.visualization import PairVisualizationHook


class Echo(BaseModel):
    """Gives each sample back with label maps."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        for sample in data_samples:
            sample.pred_sem_seg = PixelData(data=torch.full((1, 5, 8), 300))
            if 'img_path2' in sample.metainfo:
                sample.pred_sem_seg2 = sample.pred_sem_seg.clone()
                sample.labels = torch.tensor([1])
                sample.labels2 = torch.tensor([1])
        return data_samples


class NoMetric(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        return {}


def make_dataset(folder, number, pairs):
    samples = []
    for i in range(number):
        season = folder / f'season{i % 2}'
        season.mkdir(exist_ok=True)
        path = str(season / f'{i // 2}.png')
        cv2.imwrite(path, np.full((20, 32, 3), 10 * i, np.uint8))
        meta = {'img_path': path, 'img_shape': (10, 16)}
        if pairs:
            meta.update(img_path2=path, img_shape2=(10, 16))
        sample = PairDataSample(metainfo=meta)
        if pairs:
            sample.points = sample.points2 = torch.tensor([[3.0, 4.0]])
        samples.append({'inputs': torch.zeros(1), 'data_samples': sample})
    return samples


def run(tmp_path, mode, number=7, pairs=True, batch_size=2, times=1, **hook):
    loader = DataLoader(
        make_dataset(tmp_path, number, pairs),
        batch_size=batch_size,
        collate_fn=pseudo_collate,
    )
    runner = Runner(
        model=Echo(),
        work_dir=str(tmp_path / 'work'),
        visualizer={
            'type': 'PairVisualizer',
            'vis_backends': [{'type': 'LocalVisBackend'}],
        },
        default_hooks={
            'logger': None,
            'visualization': {'type': 'PairVisualizationHook', **hook},
        },
        default_scope='mmseg',
        experiment_name=f'{tmp_path.name}',
        **{
            f'{mode}_dataloader': loader,
            f'{mode}_cfg': {},
            f'{mode}_evaluator': Evaluator(NoMetric()),
        },
    )
    for _ in range(times):
        getattr(runner, mode)()
    return sorted(p.stem for p in (tmp_path / 'work').rglob('*.png'))


def test_every_interval_th_pair_from_the_first(tmp_path):
    written = run(tmp_path, 'val', draw=True, interval=3, times=2)
    assert written == [
        'val_season0_0--season0_0_0',
        'val_season0_3--season0_3_0',
        'val_season1_1--season1_1_0',
    ]


def test_at_most_max_pairs(tmp_path):
    written = run(tmp_path, 'val', draw=True, interval=1, max_pairs=2)
    assert written == [
        'val_season0_0--season0_0_0',
        'val_season1_0--season1_0_0',
    ]


def test_short_set_with_the_default_interval_shows_one(tmp_path):
    assert len(run(tmp_path, 'val', draw=True)) == 1


@pytest.mark.parametrize('mode', ['val', 'test'])
def test_nothing_without_draw(tmp_path, mode):
    assert run(tmp_path, mode, interval=1) == []


def test_single_images_in_test_as_mmseg_does(tmp_path):
    written = run(
        tmp_path, 'test', number=5, pairs=False, draw=True, interval=2
    )
    # Batch 1 of 0, 1, 2; both of its samples; no limit.
    assert written == ['test_1.png_0']


def test_single_images_of_every_batch(tmp_path):
    written = run(
        tmp_path,
        'test',
        number=12,
        pairs=False,
        batch_size=1,
        draw=True,
        interval=1,
        max_pairs=1,
    )
    assert len(written) == 6  # two seasons write to one name, as in mmseg


def test_pairs_in_test(tmp_path):
    written = run(
        tmp_path, 'test', number=3, batch_size=1, draw=True, interval=3
    )
    assert written == ['test_season0_1--season0_1_0']


@pytest.mark.parametrize('name', ['interval', 'max_pairs'])
def test_numbers_are_checked(name):
    with pytest.raises(ValueError, match=f'`{name}` should be at least 1'):
        PairVisualizationHook(**{name: 0})
