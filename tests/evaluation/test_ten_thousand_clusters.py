"""A test run of mmseg's loop with ten thousand labels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_fgsn import CROP, model_config, sharp_model
from tiny_runs import QuietRunner

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.evaluation import read_label_map

CLUSTERS = 10_000
SLIDE = dict(mode='slide', crop_size=(65, 65), stride=(32, 64))


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """Root of the set, and the figures."""
    root = tmp_path_factory.mktemp('ten_thousand')
    rng = np.random.default_rng(0)
    for folder in ('images', 'classes'):
        (root / folder).mkdir()
    for name in 'ab':
        small = rng.integers(0, 256, (9, 12, 3), np.uint8)
        photo = cv2.resize(small, CROP[::-1], interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(root / 'images' / f'{name}.png'), photo)
        classes = rng.integers(0, 3, (7, 9), np.uint8)
        classes = cv2.resize(classes, CROP[::-1], interpolation=0)
        cv2.imwrite(str(root / 'classes' / f'{name}.png'), classes)
    init_default_scope('mmseg')
    model = sharp_model(num_clusters=CLUSTERS)
    checkpoint = root / 'model.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), checkpoint)
    config = Config(
        dict(
            default_scope='mmseg',
            work_dir=str(root / 'run'),
            experiment_name='ten_thousand_clusters',
            model=model_config(CLUSTERS, test_cfg=SLIDE),
            load_from=str(checkpoint),
            test_dataloader=dict(
                batch_size=1,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(
                    type='BaseSegDataset',
                    metainfo=dict(classes=('road', 'sky', 'car')),
                    data_root=str(root),
                    data_prefix=dict(
                        img_path='images', seg_map_path='classes'
                    ),
                    img_suffix='.png',
                    seg_map_suffix='.png',
                    pipeline=[
                        dict(type='LoadImageFromFile'),
                        dict(type='LoadAnnotations'),
                        dict(type='PackSegInputs'),
                    ],
                ),
            ),
            test_cfg=dict(type='TestLoop'),
            test_evaluator=dict(
                type='ClusterInformationMetric',
                output_dir=str(root / 'maps'),
                keep_results=True,
            ),
            visualizer=dict(
                type='PairVisualizer',
                vis_backends=[dict(type='LocalVisBackend')],
                alpha=1.0,
            ),
            default_hooks=dict(
                visualization=dict(
                    type='PairVisualizationHook', draw=True, interval=1
                )
            ),
            log_level='ERROR',
        )
    )
    runner = QuietRunner.from_cfg(config)
    return root, runner.test()


def test_maps_hold_labels_of_the_whole_range(finished):
    root, metrics = finished
    maps = [read_label_map(str(root / 'maps' / f'{n}.png')) for n in 'ab']
    seen = np.unique(maps)
    assert seen.max() > 9000
    assert len(seen) == metrics['seen_clusters'] > 20


def test_figures_against_the_written_maps(finished):
    root, metrics = finished
    labels, classes = (
        np.concatenate(
            [
                cv2.imread(str(root / folder / f'{n}.png'), -1).ravel()
                for n in 'ab'
            ]
        )
        for folder in ('maps', 'classes')
    )
    table = np.zeros((CLUSTERS, 3), int)
    np.add.at(table, (labels, classes), 1)
    assert metrics['purity'] == pytest.approx(table.max(1).sum() / table.sum())


def test_pictures_are_drawn(finished):
    root, _ = finished
    pictures = sorted((root / 'run').rglob('vis_image/*.png'))
    assert len(pictures) == 2
    drawn = cv2.imread(str(pictures[0]))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20
