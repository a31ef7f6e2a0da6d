"""The families of networks in mmseg's config tree, one config of each.

The configs are the smallest ones, the inputs the smallest that they take.
``docs/families.md`` says the same to readers; a test compares the two.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import NamedTuple

import mmseg
from mmengine import Config, ConfigDict
from mmseg.registry import MODELS

from fgsn_mmseg.models.decode_heads import without_labels

TREE = Path(mmseg.__file__).parent / '.mim' / 'configs'
R18 = 'r18-d8_4xb2-80k_cityscapes-512x1024'
R50 = 'r50-d8_4xb2-40k_cityscapes-512x1024'


class Family(NamedTuple):
    """A config and what becomes of it."""

    config: str
    size: tuple[int, int] = (64, 96)
    needs: str | None = None
    """Package that the config imports, or the operators of mmcv."""
    refused: str | None = None
    """Pattern of the line that says why it cannot become an FGSN."""


WORKS = {
    'ann': Family(f'ann_{R50}'),
    'apcnet': Family(f'apcnet_{R50}'),
    'beit': Family('beit-base_upernet_8xb2-160k_ade20k-640x640'),
    'bisenetv1': Family(
        'bisenetv1_r18-d32-in1k-pre_4xb4-160k_cityscapes-1024x1024'
    ),
    'bisenetv2': Family('bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024'),
    'cgnet': Family('cgnet_fcn_4xb4-60k_cityscapes-680x680'),
    'convnext': Family(
        'convnext-tiny_upernet_8xb2-amp-160k_ade20k-512x512',
        needs='mmpretrain',
    ),
    'danet': Family(f'danet_{R50}'),
    'ddrnet': Family('ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024'),
    'deeplabv3': Family(f'deeplabv3_{R18}'),
    'deeplabv3plus': Family(f'deeplabv3plus_{R18}'),
    'dmnet': Family(f'dmnet_{R50}'),
    'dnlnet': Family(f'dnl_{R50}'),
    'dpt': Family('dpt_vit-b16_8xb2-160k_ade20k-512x512'),
    'dsdl': Family('cityscapes'),
    'emanet': Family('emanet_r50-d8_4xb2-80k_cityscapes-512x1024'),
    'encnet': Family(f'encnet_{R50}'),
    'erfnet': Family('erfnet_fcn_4xb4-160k_cityscapes-512x1024'),
    'fastfcn': Family('fastfcn_r50-d32_jpu_psp_4xb2-80k_cityscapes-512x1024'),
    'fastscnn': Family('fast_scnn_8xb4-160k_cityscapes-512x1024'),
    'fcn': Family(f'fcn_{R18}'),
    'gcnet': Family(f'gcnet_{R50}'),
    'hrnet': Family('fcn_hr18s_4xb2-160k_cityscapes-512x1024'),
    'icnet': Family('icnet_r18-d8-in1k-pre_4xb2-160k_cityscapes-832x832'),
    'isanet': Family(f'isanet_{R50}'),
    'mae': Family('mae-base_upernet_8xb2-amp-160k_ade20k-512x512'),
    'mobilenet_v2': Family('mobilenet-v2-d8_fcn_4xb2-80k_cityscapes-512x1024'),
    # Its pooling wants 49 x 49 cells of 8 pixels.
    'mobilenet_v3': Family(
        'mobilenet-v3-d8-s_lraspp_4xb4-320k_cityscapes-512x1024',
        size=(392, 392),
    ),
    'nonlocal_net': Family(f'nonlocal_{R50}'),
    'ocrnet': Family('ocrnet_hr18s_4xb2-160k_cityscapes-512x1024'),
    'pidnet': Family('pidnet-s_2xb6-120k_1024x1024-cityscapes'),
    'point_rend': Family('pointrend_r50_4xb2-80k_cityscapes-512x1024'),
    'poolformer': Family(
        'fpn_poolformer_s12_8xb4-40k_ade20k-512x512', needs='mmpretrain'
    ),
    'pspnet': Family(f'pspnet_{R18}'),
    'resnest': Family('resnest_s101-d8_fcn_4xb2-80k_cityscapes-512x1024'),
    'segformer': Family('segformer_mit-b0_8xb1-160k_cityscapes-1024x1024'),
    'segmenter': Family('segmenter_vit-t_mask_8xb1-160k_ade20k-512x512'),
    'segnext': Family('segnext_mscan-t_1xb16-adamw-160k_ade20k-512x512'),
    'sem_fpn': Family('fpn_r50_4xb2-80k_cityscapes-512x1024'),
    'setr': Family('setr_vit-l_naive_8xb2-160k_ade20k-512x512'),
    'stdc': Family('stdc1_4xb12-80k_cityscapes-512x1024'),
    'swin': Family(
        'swin-tiny-patch4-window7-in1k-pre_upernet_8xb2-160k_ade20k-512x512'
    ),
    'twins': Family('twins_svt-s_fpn_fpnhead_8xb4-80k_ade20k-512x512'),
    'unet': Family('unet-s5-d16_fcn_4xb4-160k_cityscapes-512x1024'),
    'upernet': Family('upernet_r18_4xb2-40k_cityscapes-512x1024'),
    'vit': Family('vit_deit-s16_upernet_8xb2-80k_ade20k-512x512'),
}
REFUSED = {
    'ccnet': Family(
        f'ccnet_{R50}', needs='mmcv.ops', refused='CrissCrossAttention'
    ),
    'knet': Family(
        'knet-s3_r50-d8_fcn_8xb2-adamw-80k_ade20k-512x512',
        refused='makes its classifier anew',
    ),
    'mask2former': Family(
        'mask2former_r50_8xb2-90k_cityscapes-512x1024',
        needs='mmdet',
        refused='classifies masks',
    ),
    'maskformer': Family(
        'maskformer_r50-d32_8xb2-160k_ade20k-512x512',
        refused='classifies masks',
    ),
    'psanet': Family(f'psanet_{R50}', needs='mmcv.ops', refused='PSAMask'),
    'san': Family(
        'san-vit-b16_coco-stuff164k-640x640', refused='classifies masks'
    ),
    'vpd': Family('vpd_sd_4xb8-25k_nyu-480x480', refused='predicts depth'),
}
FAMILIES = {**WORKS, **REFUSED}


def load_config(name: str) -> Config:
    """A family's config without pretrained weights, for its small input.

    Nothing of the network is made smaller.
    """
    family = FAMILIES[name]
    config = Config.fromfile(TREE / name / f'{family.config}.py')
    model = config.model
    _forget_weights(model)
    model.data_preprocessor = None
    if model.get('backbone', {}).get('type') in ('BEiT', 'MAE'):
        model.backbone.img_size = family.size  # they take no other input
    if model.get('test_cfg', {}).get('mode') == 'slide':
        height, width = family.size
        model.test_cfg.crop_size = family.size
        model.test_cfg.stride = (2 * height // 3, 2 * width // 3)
    wrapper = config.optim_wrapper  # AMP runs on GPUs only
    wrapper.type = 'OptimWrapper'
    for key in ('loss_scale', 'dtype'):
        wrapper.pop(key, None)
    return config


def as_fgsn(model: ConfigDict, num_clusters: int) -> ConfigDict:
    """What a user writes: `dict(type='FGSN', num_clusters=...)` on top."""
    model = copy.deepcopy(model)
    model.update(type='FGSN', num_clusters=num_clusters)
    return model


def as_plain(model: ConfigDict, num_classes: int) -> ConfigDict:
    """The segmentor of the config itself, with another number of classes."""
    model = copy.deepcopy(model)
    for key in ('decode_head', 'auxiliary_head'):
        heads = model.get(key) or []
        for head in heads if isinstance(heads, list) else [heads]:
            if not without_labels(MODELS.get(head.type)):
                head.num_classes = num_classes
                if 'out_channels' in head:
                    head.out_channels = num_classes
    return model


def _forget_weights(value: object) -> None:
    if isinstance(value, dict):
        for key in value:
            if key in ('init_cfg', 'pretrained'):
                value[key] = None
            else:
                _forget_weights(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            _forget_weights(item)
