"""The configs of the town: one network, one folder, one reference."""

from __future__ import annotations

import re
from pathlib import Path

from mmengine import Config
from mmseg.registry import METRICS, MODELS

from fgsn_mmseg.synthetic import REFERENCE
from fgsn_mmseg.synthetic.study import GROUP_BY

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
BASE = 'pspnet_r18s-d8_1xb8-300_town-129x161'
FGSN = 'fgsn-c20_r18s-d8_pspnet_1xb4-both-300_town-129x161'
BASE_PATTERN = r'pspnet_r18s-d8_1xb(\d+)-(\d+)_town-(\d+)x(\d+)'


def test_base_network_is_plain_mmseg():
    config = Config.fromfile(CONFIGS / 'base' / f'{BASE}.py')
    batch, iters, height, width = map(
        int, re.fullmatch(BASE_PATTERN, BASE).groups()
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
    base = Config.fromfile(CONFIGS / 'base' / f'{BASE}.py')
    config = Config.fromfile(CONFIGS / 'fgsn' / f'{FGSN}.py')
    start = Path(config.model.init_cfg.checkpoint)
    assert start.parts[-2:] == (BASE, f'iter_{base.max_iters}.pth')
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
