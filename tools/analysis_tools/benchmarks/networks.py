"""Networks with random weights, as FGSN and as mmseg has them."""

from __future__ import annotations

import copy
import inspect
import logging
import os
from typing import Any

import torch
from mmengine import Config, ConfigDict
from mmengine.hub import get_config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS

from fgsn_mmseg.clustering import Codebook

# So small that everything but the network counts.
TINY = dict(
    type='FGSN',
    num_clusters=100,
    data_preprocessor=dict(
        type='PairDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        stem_channels=8,
        base_channels=8,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=True,
        norm_cfg=dict(type='BN'),
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=16,
        num_convs=1,
        concat_input=False,
        num_classes=19,
        norm_cfg=dict(type='BN'),
        align_corners=True,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)


def load_config(path: str | None) -> Config:
    """Config of a network.

    Args:
        path (str, optional): File, or a name in mmseg's tree as
            ``mmseg::pspnet/<name>.py``. None: a tiny network.

    Raises:
        FileNotFoundError: There is no such config.
    """
    if path is None:
        return Config(dict(model=copy.deepcopy(TINY)))
    if path.startswith('mmseg::'):
        return get_config(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'`config` should be a config file, but got {path!r}, which is '
            "not there. 'mmseg::<family>/<name>.py' names one of mmseg's."
        )
    return Config.fromfile(path)


def model_config(config: Config, num_clusters: int) -> ConfigDict:
    """The FGSN of a config, without the weights that it starts from."""
    model = copy.deepcopy(config.model)
    if model.type != 'FGSN':
        model.type = 'FGSN'
        mean_std = {
            key: model.data_preprocessor[key]
            for key in ('mean', 'std', 'bgr_to_rgb')
            if key in model.data_preprocessor
        }
        model.data_preprocessor = mean_std
    # Another size than the config's is measured, too.
    for key in ('size', 'size_divisor'):
        model.data_preprocessor.pop(key, None)
    model.data_preprocessor.type = 'PairDataPreProcessor'
    model.num_clusters = num_clusters
    for part in (model, model.backbone):
        part.init_cfg = None
        part.pop('pretrained', None)
    return model


def build_plain(model: dict, device: str, seed: int = 0) -> Any:
    """Build what mmseg makes of the same config with K classes."""
    model = copy.deepcopy(model)
    num_clusters = model['num_clusters']
    known = set(inspect.signature(EncoderDecoder.__init__).parameters)
    for key in set(model) - known - {'num_stages', 'type'}:
        del model[key]  # what only an FGSN has
    for heads in (model['decode_head'], model.get('auxiliary_head')):
        if heads is None:
            continue
        for head in heads if isinstance(heads, (list, tuple)) else [heads]:
            head['num_classes'] = num_clusters
    cascade = isinstance(model['decode_head'], (list, tuple))
    model['type'] = 'CascadeEncoderDecoder' if cascade else 'EncoderDecoder'
    return build(model, device, seed)


def build(model: dict, device: str, seed: int = 0) -> Any:
    """Build a segmentor with random weights."""
    init_default_scope('mmseg')
    torch.manual_seed(seed)
    level = logging.root.manager.disable
    logging.disable(logging.INFO)  # one line for every layer
    try:
        built = revert_sync_batchnorm(MODELS.build(model))
        built.init_weights()
    finally:
        logging.disable(level)
    return built.to(device)


def teach(model: Any) -> None:
    """Give a model labels: a codebook drawn at random, and a teacher."""
    device = next(model.parameters()).device
    codebook = Codebook(
        model.num_clusters,
        model.codebook.in_channels,
        model.codebook.pca_dim,
    )
    generator = torch.Generator().manual_seed(0)
    for buffer in codebook.buffers():
        buffer.copy_(torch.randn(buffer.shape, generator=generator))
    model.set_codebook(codebook.to(device))
    model.train()
