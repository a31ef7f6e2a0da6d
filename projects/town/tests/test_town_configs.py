"""The configs of the town: one network, one folder, one reference."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine import Config
from mmengine.runner import Runner
from mmseg.apis import MMSegInferencer, inference_model, init_model
from mmseg.registry import METRICS, MODELS

from fgsn_mmseg.engine.training_run import with_data_root
from town import REFERENCE
from town.study import BASE_CONFIG, DEMO_CONFIG, FGSN_CONFIG
from town.study.figures import GROUP_BY

BASE_PATTERN = r'pspnet_r18s-d8_1xb(\d+)-(\d+)_town-(\d+)x(\d+)'


def test_base_network_is_plain_mmseg():
    config = Config.fromfile(BASE_CONFIG)
    batch, iters, height, width = map(
        int, re.fullmatch(BASE_PATTERN, BASE_CONFIG.stem).groups()
    )
    assert config.model.type == 'EncoderDecoder'
    built = MODELS.build(config.model)
    assert built.decode_head.num_classes == 19
    assert config.train_dataloader.batch_size == batch
    assert config.train_cfg.max_iters == iters
    assert config.param_scheduler[-1].end == iters
    assert tuple(config.crop_size) == (height, width)
    # It sees the reference condition alone.
    for part in ('train', 'val'):
        loader = config[f'{part}_dataloader']
        assert loader.dataset.ann_file == f'lists/seg_{part}_{REFERENCE}.txt'
        assert loader.dataset.type == 'CityscapesDataset'


def test_fgsn_starts_from_it():
    base = Config.fromfile(BASE_CONFIG)
    config = Config.fromfile(FGSN_CONFIG)
    start = Path(config.model.init_cfg.checkpoint)
    assert start.parts[-2:] == (BASE_CONFIG.stem, f'iter_{base.max_iters}.pth')
    for part in ('backbone', 'decode_head'):
        assert config.model[part] == base.model[part]
    assert config.data_root == base.data_root
    assert tuple(config.crop_size) == tuple(base.crop_size)
    # At least three clusterings, the first teacher in a checkpoint.
    interval = config.custom_hooks[0].interval
    assert config.max_iters >= 3 * interval
    checkpoint = config.default_hooks.checkpoint
    assert checkpoint.interval <= interval
    assert checkpoint.max_keep_ckpts == -1
    assert METRICS.build(config.val_evaluator).group_pattern.pattern == (
        GROUP_BY
    )


@pytest.mark.parametrize('path', [BASE_CONFIG, FGSN_CONFIG, DEMO_CONFIG])
def test_mmseg_labels_a_photo(tiny_world, tmp_path, path):
    """By both of its ways, from the path and from the array of a photo."""
    config = Config.fromfile(path)
    model = init_model(copy.deepcopy(config), device='cpu')
    name = 'images/street001/winter/s001_p000_winter.jpg'
    photo = str(tiny_world / name)
    result = inference_model(model, photo)
    labels = result.pred_sem_seg.data[0].numpy()
    assert labels.shape == (96, 128)
    assert labels.max() < config.model.get('num_clusters', 19)
    config.model.init_cfg = None
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, tmp_path / 'x')
    inferencer = MMSegInferencer(config, str(tmp_path / 'x'), device='cpu')
    found = inferencer(cv2.imread(photo))['predictions']
    np.testing.assert_array_equal(found, labels)


def test_an_fgsn_is_tested_on_one_condition(tiny_world, tmp_path):
    config = with_data_root(Config.fromfile(FGSN_CONFIG), tiny_world)
    config.model.init_cfg = None
    config.work_dir = str(tmp_path)
    config.test_dataloader.dataset.ann_file = 'lists/corr_val_rain.txt'
    figures = Runner.from_cfg(config).test()
    assert figures['agreement/rain'] == figures['agreement'] > 0
    assert 'agreement/night' not in figures
