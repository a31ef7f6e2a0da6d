"""A plain segmentor of mmseg learns label maps from disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from miniature_training import tiny_network
from mmengine import Config
from mmseg.registry import DATASETS, MODELS

from fgsn_mmseg.datasets import read_label_map, write_label_map

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'distillation'
NAME = 'distilled-c100_m-v2-d8_pspnet_1xb8-40k_label-maps-512x512.py'
K, CROP = 300, (64, 96)


def miniature(root):
    """Changes that make the published config a small one."""
    heads = dict(decode_head=(160, 32), auxiliary_head=(48, 16))
    changes = {
        'model.data_preprocessor.size': CROP,
        'model.backbone.init_cfg': None,
        'model.backbone.widen_factor': 0.5,
        'train_dataloader.batch_size': 2,
        'train_dataloader.dataset.pipeline.2.scale': (1000, 64),
        'train_dataloader.dataset.pipeline.3.crop_size': CROP,
        'test_evaluator.img_root': f'{root}/images',
        'train_cfg.max_iters': 3,
        'train_cfg.val_interval': 3,
        'optim_wrapper.optimizer.lr': 0.1,
        'param_scheduler': [],
        'default_hooks.logger.interval': 1,
        'default_hooks.checkpoint.interval': 3,
        'randomness.seed': 0,
    }
    for name, (in_channels, channels) in heads.items():
        changes[f'model.{name}.num_clusters'] = K
        changes[f'model.{name}.head.in_channels'] = in_channels
        changes[f'model.{name}.head.channels'] = channels
    for split in ('train', 'val', 'test'):
        loader = f'{split}_dataloader'
        changes[f'{loader}.num_workers'] = 0
        changes[f'{loader}.persistent_workers'] = False
        changes[f'{loader}.dataset.num_clusters'] = K
        changes[f'{loader}.dataset.data_root'] = str(root)
    return changes


def make_maps(root, number=4):
    """Photos whose pixels are nearly all of cluster 255."""
    rng = np.random.default_rng(0)
    for i in range(number):
        photo = rng.integers(0, 256, (90, 130, 3), np.uint8)
        (root / 'images').mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / f'images/{i}.jpg'), photo)
        labels = np.full((90, 130), 255)
        labels[:9, :9], labels[-9:] = K - 1, -1
        write_label_map(str(root / f'label_maps/{i}.png'), labels)
    names = [f'{i}.jpg\n' for i in range(number)]
    (root / 'train.txt').write_text(''.join(names[:-1]))
    (root / 'val.txt').write_text(names[-1])
    return root


@pytest.fixture
def config(tmp_path):
    root = make_maps(tmp_path / 'data')
    config = Config.fromfile(FOLDER / NAME)
    config.merge_from_dict(miniature(root))
    path = tmp_path / 'distilled.py'
    config.dump(path)
    return path


def test_content_is_what_the_name_says():
    config = Config.fromfile(FOLDER / NAME)
    config.model.backbone.init_cfg = None
    with torch.device('meta'):
        model = MODELS.build(config.model)
    assert type(model).__name__ == 'EncoderDecoder'
    assert type(model.backbone).__name__ == 'MobileNetV2'
    for head in (model.decode_head, model.auxiliary_head):
        assert head.num_classes == 100
        assert isinstance(head, MODELS.get('ClusterHead'))
    assert isinstance(model.decode_head, MODELS.get('PSPHead'))
    for split in ('train', 'val', 'test'):
        assert config[f'{split}_dataloader'].dataset.num_clusters == 100
    assert config.train_dataloader.batch_size == 8
    assert config.train_cfg.max_iters == 40_000
    # Wherever mmseg's default would take 255 for "ignore".
    assert config.model.data_preprocessor.seg_pad_val == 65535
    assert config.val_evaluator.ignore_index == 65535
    crop = config.train_pipeline[3]
    assert crop.type == 'RandomCrop' and crop.ignore_index == 65535


def test_loss_counts_label_255_and_not_65535(config):
    config = Config.fromfile(config)
    model = MODELS.build(config.model).train()
    samples = [
        DATASETS.build(config.train_dataloader.dataset)[i] for i in (0, 1)
    ]
    data = model.data_preprocessor(
        dict(
            inputs=[s['inputs'] for s in samples],
            data_samples=[s['data_samples'] for s in samples],
        ),
        True,
    )
    labels = [s.gt_sem_seg.data for s in data['data_samples']]
    assert all(one.shape[1:] == CROP for one in labels)
    losses = model.loss(**data)
    names = [name for name in losses if 'loss' in name]
    assert len(names) == 2 and all(losses[name] > 1 for name in names)
    for label in labels:
        label.fill_(65535)
    losses = model.loss(**data)
    assert all(losses[name] == 0 for name in names)


def label_by_a_large_network(root, folder, run_tool):
    """Write the maps as a user does, by a network that sees mostly 255."""
    network = tiny_network(
        'fgsn/test/fgsn-c200_r101-d8_pspnet_image-folder',
        folder,
        model__num_clusters=K,
    )
    weights = torch.load(network[1], weights_only=True)
    weights['state_dict']['decode_head.conv_seg.bias'][255] += 1e9
    torch.save(weights, network[1])
    shutil.rmtree(root / 'label_maps')
    tool = Path(__file__).resolve().parents[2] / 'tools/label_images.py'
    run_tool(tool, *network, root / 'images', root / 'label_maps')
    labels = read_label_map(str(root / 'label_maps/0.png'))
    assert labels.shape == (90, 130) and (labels == 255).mean() > 0.9


@pytest.mark.slow
def test_trains_on_mostly_255_and_predicts_it(
    config, tmp_path, mmseg_tool, run_tool
):
    label_by_a_large_network(tmp_path / 'data', tmp_path, run_tool)
    work = tmp_path / 'work'
    run_tool(mmseg_tool('train'), config, '--work-dir', work)
    log = next(work.glob('*/vis_data/scalars.json')).read_text()
    assert log.count('decode.loss') == 3
    maps = tmp_path / 'maps'
    out = ('--work-dir', work / 'test', '--out', maps)
    run_tool(mmseg_tool('test'), config, work / 'iter_3.pth', *out)
    assert sorted(path.name for path in maps.iterdir()) == [
        f'{i}.png' for i in range(4)
    ]
    for path in maps.iterdir():
        labels = read_label_map(str(path))
        assert labels.shape == (90, 130)
        assert (labels == 255).mean() > 0.9
