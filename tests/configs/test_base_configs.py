"""Base networks: every config loads, builds and is what its name says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from miniature_trees import make_cityscapes, make_seasons, make_vistas
from mmengine import Config
from mmseg.registry import DATASETS, METRICS, MODELS

from fgsn_mmseg.datasets.vistas_conversion import convert_vistas

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
NAMES = sorted(p.stem for p in (CONFIGS / 'base').glob('pspnet_r101*.py'))
PATTERN = re.compile(
    r'pspnet_(?P<backbone>r101(v1c)?-d8)(?P<extras>(-in1k-pre)?)'
    r'_(?P<gpus>\d+)xb(?P<batch>\d+)-(?P<schedule>\d+)k'
    r'_(?P<data>[a-z-]+)-(?P<height>\d+)x(?P<width>\d+)'
)
DATASET_TYPES = {
    'cityscapes': ['CityscapesDataset'],
    'cityscapes-vistas': ['CityscapesDataset', 'VistasCityscapesDataset'],
}


def test_all_are_there():
    assert len(NAMES) == 5


@pytest.mark.parametrize('name', NAMES)
def test_content_is_what_the_name_says(name):
    parts = PATTERN.fullmatch(name)
    assert parts, name
    config = Config.fromfile(CONFIGS / 'base' / f'{name}.py')
    model = config.model
    with torch.device('meta'):
        built = MODELS.build(model)
    assert built.decode_head.num_classes == 19
    assert type(built.decode_head).__name__ == 'PSPHead'
    blocks = [len(getattr(built.backbone, f'layer{k}')) for k in range(1, 5)]
    assert blocks == [3, 4, 23, 3]
    # Stride 8, on CPU too: no SyncBN.
    assert config.sync_bn == 'torch'
    assert not [
        module
        for module in built.modules()
        if isinstance(module, torch.nn.SyncBatchNorm)
    ]
    check_backbone(model.backbone, parts)
    init = model.backbone.get('init_cfg') or {}
    torchvision = init.get('checkpoint') == 'torchvision://resnet101'
    assert torchvision == (parts['extras'] == '-in1k-pre')
    check_data(config, parts)
    assert config.train_cfg.max_iters == 1000 * int(parts['schedule'])
    assert config.param_scheduler[-1].end == config.train_cfg.max_iters


def check_backbone(backbone, parts):
    deep_stem = backbone.type == 'ResNetV1c'
    stem = backbone.get('stem_channels', 64)
    if parts['backbone'] == 'r101v1c-d8':
        assert (deep_stem, stem, backbone.style) == (True, 64, 'pytorch')
    elif parts['extras'] == '-in1k-pre':
        assert (deep_stem, stem, backbone.style) == (False, 64, 'pytorch')
    else:
        assert (deep_stem, stem, backbone.style) == (True, 128, 'caffe')
    dilated_first = not backbone.contract_dilation
    assert dilated_first == (parts['backbone'] == 'r101-d8')
    assert tuple(backbone.strides) == (1, 2, 1, 1)


def check_data(config, parts):
    loader = config.train_dataloader
    assert loader.batch_size == int(parts['batch'])
    datasets = loader.dataset.get('datasets', [loader.dataset])
    types = [dataset.type for dataset in datasets]
    assert types == DATASET_TYPES[parts['data']]
    crop = (int(parts['height']), int(parts['width']))
    assert tuple(config.model.data_preprocessor.size) == crop
    for dataset in datasets:
        assert dataset.data_root.startswith('data/')
        crops = [
            tuple(step.crop_size)
            for step in dataset.pipeline
            if step.type == 'RandomCrop'
        ]
        assert crops == [crop]


@pytest.fixture
def trees(tmp_path):
    """Roots of all miniature trees, by the folder name of the configs."""
    vistas = make_vistas(tmp_path)
    for split in ('training', 'validation'):
        convert_vistas(str(vistas), split, nproc=1)
    return dict(
        cityscapes=make_cityscapes(tmp_path),
        vistas=vistas,
        CMU=make_seasons(tmp_path, 'CMU'),
        ROBOTCAR=make_seasons(tmp_path, 'ROBOTCAR'),
        images=tmp_path / 'CMU' / 'images',
    )


@pytest.mark.parametrize(
    'name, count',
    [
        ('cityscapes-val', 2),
        ('vistas-val', 3),
        ('cmu-seasons', 2),
        ('robotcar-seasons', 2),
        ('image-folder', 12),
    ],
)
def test_test_sets_read_their_trees(trees, name, count):
    config = Config.fromfile(CONFIGS / '_base_' / 'datasets' / f'{name}.py')
    dataset = config.test_dataloader.dataset
    folder = Path(dataset.data_root).name
    assert dataset.data_root == f'data/{folder}/'
    dataset.data_root = str(trees[folder])
    built = DATASETS.build(dataset)
    assert len(built) == count
    sample = built[0]
    assert min(sample['inputs'].shape[1:]) == 1024
    if name == 'image-folder':
        assert config.test_evaluator.img_root == 'data/images/'
    else:
        assert sample['data_samples'].gt_sem_seg.shape == (
            48,
            96 - 32 * (name != 'cityscapes-val'),
        )
    METRICS.build(config.test_evaluator)


def test_training_on_both_sets(tmp_path, trees, run_tool):
    """Ten iterations of the paper's start, narrow, on small crops."""
    name = 'pspnet_r101-d8_4xb4-80k_cityscapes-vistas-713x713'
    text = f"""
_base_ = {str(CONFIGS / 'base' / f'{name}.py')!r}
crop = (49, 65)
model = dict(
    data_preprocessor=dict(size=crop),
    backbone=dict(depth=50, stem_channels=8, base_channels=4),
    decode_head=dict(in_channels=128, channels=32),
    auxiliary_head=dict(in_channels=64, channels=16),
)
train_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_iters=10)
val_cfg = val_dataloader = val_evaluator = None
default_hooks = dict(logger=dict(interval=5))
"""
    path = tmp_path / 'narrow.py'
    path.write_text(text)
    options = []
    for k, tree in enumerate(('cityscapes', 'vistas')):
        prefix = f'train_dataloader.dataset.datasets.{k}'
        options += [
            f'{prefix}.data_root={trees[tree]}',
            f'{prefix}.pipeline.3.crop_size=(49,65)',
            f'{prefix}.pipeline.2.scale=(96,48)',
        ]
    done = run_tool(
        '-m',
        'fgsn_mmseg',
        'train',
        path,
        '--work-dir',
        tmp_path / 'work',
        '--cfg-options',
        *options,
    )
    assert 'Iter(train) [10/10]' in done.stdout
    losses = re.findall(r'decode\.loss_ce: ([\d.]+)', done.stdout)
    assert len(losses) >= 2
    assert all(0 < float(loss) < 20 for loss in losses)
    assert (tmp_path / 'work' / 'iter_10.pth').is_file()
