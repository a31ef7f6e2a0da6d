"""Heads named one by one train as the short form does, by mmseg's own tool.

Networks of full size on small crops, three iterations each.
"""

from __future__ import annotations

import json
from pathlib import Path

import mmseg
import pytest
from mmengine import Config
from tiny_runs import make_pairs

TREE = Path(mmseg.__file__).parent / '.mim/configs/_base_/models'
DATA = """
default_scope = 'mmseg'
custom_imports = dict(imports=['fgsn_mmseg'])
pair_preprocessor = dict(
    type='PairDataPreProcessor', mean=[120.0, 110.0, 100.0],
    std=[60.0, 60.0, 60.0], bgr_to_rgb=True)
load = [dict(type='LoadCorrespondences'), dict(type='LoadImagePair')]
train_dataloader = dict(
    batch_size=2, num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='CorrespondenceDataset', data_root='{root}', pipeline=[
            *load, dict(type='RandomCropPair', crop_size=(64, 96)),
            dict(type='PackPairInputs')]))
train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=3)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-6, momentum=0.9))
param_scheduler = []
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=-1))
custom_hooks = [dict(
    type='ClusteringHook', interval=2, dataloader=dict(dataset=dict(
        type='ReferenceImageDataset', data_root='{root}', pipeline=[
            dict(type='LoadImagePair'), dict(type='PackPairInputs')])))]
log_processor = dict(by_epoch=False, window_size=1)
randomness = dict(seed=0)
"""
MODEL = """
_base_ = ['mmseg::_base_/models/{network}.py', './data.py']
model = dict(
    type='FGSN', num_clusters=12, pretrained=None, pca_dim=16,
    norm_eval=False,  # random weights overflow behind frozen statistics
    data_preprocessor={{{{_base_.pair_preprocessor}}}},
    backbone=dict(init_cfg=None),
    test_cfg=dict(_delete_=True, mode='whole'),
    {heads})
"""
SHORT = """feature_layer={layer!r}, auxiliary_feature_layer={aux!r},
    loss_feat=dict(type='FeatureHingeLoss', loss_weight=0.5)"""
HEAD = """dict(
        _delete_=True, type='ClusterHead',
        head={{{{_base_.model.{which}}}}}, feature_layer={layer!r},
        loss_corr=dict(type='CorrespondenceLoss', loss_weight={weight}),
        loss_feat=dict(
            type='FeatureHingeLoss', loss_weight={weight} * 0.5))"""
# Layers of the features: of the main head, of the others.
NETWORKS = {
    'pspnet_r50-d8': ('bottleneck.bn', 'convs.0.bn'),
    'segformer_mit-b0': ('fusion_conv.bn', None),
    'upernet_swin': (None, 'convs.0.bn'),
    'ocrnet_hr18': ('bottleneck.bn', 'convs.0.bn'),
}


def explicit_heads(network, layer, aux):
    if network == 'segformer_mit-b0':
        head = HEAD.format(which='decode_head', layer=layer, weight=1.0)
        return f'decode_head={head}'
    if network != 'ocrnet_hr18':
        return ',\n    '.join(
            f'{which}={HEAD.format(which=which, layer=one, weight=weight)}'
            for which, one, weight in (
                ('decode_head', layer, 1.0),
                ('auxiliary_head', aux, 0.4),
            )
        )
    # mmengine's {{...}} takes no index: the heads stand as they are.
    heads = Config.fromfile(TREE / f'{network}.py').model.decode_head
    stages = [
        HEAD.replace('_delete_=True, ', '')
        .format(which='HEAD', layer=one, weight=weight)
        .replace('{{_base_.model.HEAD}}', repr(head.to_dict()))
        for head, one, weight in zip(heads, (aux, layer), (0.4, 1.0))
    ]
    return f'decode_head=[{", ".join(stages)}]'


@pytest.mark.slow
@pytest.mark.parametrize('network', NETWORKS)
def test_equal_losses_by_mmsegs_train(network, tmp_path, run_tool, mmseg_tool):
    layer, aux = NETWORKS[network]
    root = make_pairs(tmp_path / 'pairs')
    (tmp_path / 'data.py').write_text(DATA.replace('{root}', str(root)))
    curves = {}
    for form, heads in (
        ('short', SHORT.format(layer=layer, aux=aux)),
        ('explicit', explicit_heads(network, layer, aux)),
    ):
        path = tmp_path / f'{form}.py'
        path.write_text(MODEL.format(network=network, heads=heads))
        run_tool(
            mmseg_tool('train'),
            path,
            '--work-dir',
            tmp_path / form,
            cwd=tmp_path,
        )
        (log,) = (tmp_path / form).glob('*/vis_data/scalars.json')
        curves[form] = [
            {k: v for k, v in json.loads(line).items() if 'loss' in k}
            for line in log.read_text().splitlines()
        ]
        curves[form] = [row for row in curves[form] if row]
    assert len(curves['short']) == 3
    assert len(curves['short'][0]) >= 4  # the total and three of a head
    assert curves['short'] == curves['explicit']
