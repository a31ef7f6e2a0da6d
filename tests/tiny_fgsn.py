"""An FGSN small enough to train in a test, and pairs for it."""

from __future__ import annotations

import copy

import torch
from mmengine import ConfigDict
from mmseg.registry import MODELS

from fgsn_mmseg.clustering import Codebook
from fgsn_mmseg.structures import PairDataSample

CROP = (97, 129)  # 8 * 12 + 1 and 8 * 16 + 1
MAP = (13, 17)
NORM = dict(type='BN', requires_grad=True)


def model_config(
    num_clusters=6,
    align_corners=True,
    dropout=0.0,
    w_seg=1.0,
    w_corr=1.0,
    w_feat=0.0,
    **kwargs,
):
    """ResNet-18 with an eighth of its channels, PSP and FCN heads.

    The weights are those of the main head's losses; 0.4 of them in the other.
    """
    common = dict(
        num_classes=19,
        norm_cfg=NORM,
        align_corners=align_corners,
        dropout_ratio=dropout,
    )

    def dense(weight):
        return dict(type='CrossEntropyLoss', loss_weight=weight)

    config = dict(
        type='FGSN',
        num_clusters=num_clusters,
        data_preprocessor=dict(
            type='PairDataPreProcessor',
            mean=[120.0, 110.0, 100.0],
            std=[60.0, 60.0, 60.0],
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
            norm_cfg=NORM,
        ),
        decode_head=dict(
            type='PSPHead',
            in_channels=64,
            in_index=3,
            channels=12,
            pool_scales=(1, 2),
            loss_decode=dense(w_seg),
            **common,
        ),
        auxiliary_head=dict(
            type='FCNHead',
            in_channels=32,
            in_index=2,
            channels=8,
            num_convs=1,
            concat_input=False,
            loss_decode=dense(0.4 * w_seg),
            **common,
        ),
        loss_corr=weighted('CorrespondenceLoss', w_corr),
        loss_feat=weighted('FeatureHingeLoss', w_feat),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )
    config.update(kwargs)
    return ConfigDict(copy.deepcopy(config))


def weighted(kind, weight):
    return dict(type=kind, loss_weight=weight) if weight else None


def build_model(seed=0, **kwargs):
    """The model with weights and running statistics of its own."""
    torch.manual_seed(seed)
    model = MODELS.build(model_config(**kwargs))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.6, 1.4)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    return model


def sharp_model(test_cfg=None, **kwargs):
    """A model whose logits differ from cell to cell."""
    model = build_model(**kwargs).eval()
    classifier = model.decode_head.conv_seg
    torch.nn.init.normal_(classifier.weight, 0, 3)
    with torch.no_grad():  # the mean feature decides nothing
        mean = model.student_maps(images()).features.mean((0, 2, 3))
        classifier.bias.copy_(-classifier.weight[:, :, 0, 0] @ mean)
    model.test_cfg = ConfigDict(test_cfg or dict(mode='whole'))
    return model


def images(count=2, size=CROP, seed=0):
    """Normalised noise."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, *size, generator=generator)


def teach(model, seed=0, pca_dim=5):
    """Give a model a codebook, and then other weights than its teacher's."""
    torch.manual_seed(seed)
    model.eval()
    features = model.student_maps(torch.randn(2, 3, *CROP)).features
    rows = features.detach().permute(0, 2, 3, 1).flatten(0, 2)
    codebook = Codebook(model.num_clusters, rows.shape[1], pca_dim)
    codebook.fit(rows)
    model.set_codebook(codebook)
    model.redraw_classifiers(torch.Generator().manual_seed(seed), 0.5)
    with torch.no_grad():
        for parameter in model.backbone.parameters():
            parameter.mul_(1 + 0.05 * torch.randn_like(parameter))
    torch.manual_seed(seed)
    return model.train()


def pair_batch(counts=(15, 6), seed=0):
    """Images and samples of pairs with `counts` correspondences.

    Some points lie outside of the crop.
    """
    generator = torch.Generator().manual_seed(seed)
    size = torch.tensor([CROP[1], CROP[0]])

    def rand(*shape):
        return torch.rand(shape, generator=generator)

    inputs = {
        key: 2 * rand(len(counts), 3, *CROP) - 1 for key in ('img', 'img2')
    }
    samples = []
    for count in counts:
        sample = PairDataSample(metainfo=dict(img_shape=CROP))
        sample.points = rand(count, 2) * (size + 20) - 10
        sample.points2 = rand(count, 2) * (size + 20) - 10
        sample.point_weights = rand(count)
        samples.append(sample)
    return inputs, samples
