"""The configs of the town: one network, one folder, one reference."""

from __future__ import annotations

import re
from pathlib import Path

from mmengine import Config
from mmseg.registry import METRICS, MODELS

from town import REFERENCE
from town.study import BASE_CONFIG, FGSN_CONFIG
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
