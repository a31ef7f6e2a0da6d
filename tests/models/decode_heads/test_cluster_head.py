from __future__ import annotations

import copy

import pytest
import torch
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import nn

from fgsn_mmseg.models import ClusterHead
from fgsn_mmseg.models.decode_heads import as_cluster_heads, run_stages

K = 5
BATCH, HEIGHT, WIDTH = 2, 6, 9


def build(kind, in_channels=8, feature_layer=None, **kwargs):
    """A cluster head with dropout, in eval mode."""
    torch.manual_seed(0)
    config = dict(
        type=kind,
        in_channels=in_channels,
        num_classes=19,
        norm_cfg=dict(type='BN'),
        loss_decode=dict(type='CrossEntropyLoss'),
    )
    config.update({'channels': 8, **kwargs})
    config = as_cluster_heads(config, K, feature_layer=feature_layer)
    return MODELS.build(config).eval()


def maps(channels=8, scale=1):
    generator = torch.Generator().manual_seed(1)
    size = (BATCH, channels, HEIGHT * scale, WIDTH * scale)
    return torch.randn(size, generator=generator)


def run(head, inputs):
    return head.cluster_maps(inputs)


def test_features_are_what_enters_the_classifier():
    head = build('FCNHead', num_convs=1, concat_input=False)
    features, logits = (
        getattr(run(head, [maps()]), name) for name in ('features', 'logits')
    )
    assert features.shape == (BATCH, 8, HEIGHT, WIDTH)
    assert logits.shape == (BATCH, K, HEIGHT, WIDTH)
    expected = head.convs(maps())
    assert torch.equal(features, expected)
    assert torch.equal(logits, head.conv_seg(expected))


def test_features_come_before_dropout():
    head = build('FCNHead', num_convs=1, concat_input=False, dropout_ratio=0.9)
    head.dropout.train()
    done = run(head, [maps()])
    assert torch.equal(done.features, head.convs(maps()))
    assert not torch.equal(done.logits, head.conv_seg(done.features))


def test_features_of_an_inner_layer_before_relu():
    head = build(
        'FCNHead',
        num_convs=1,
        concat_input=False,
        feature_layer='convs.0.bn',
    )
    done = run(head, [maps()])
    assert (done.features < 0).any()
    conv = head.convs[0]
    assert torch.equal(done.features, conv.bn(conv.conv(maps())))
    assert torch.equal(done.logits, head.conv_seg(done.features.relu()))


def test_no_hook_is_left_behind():
    head = build('FCNHead', num_convs=1, concat_input=False)
    run(head, [maps()])
    for module in head.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_three_classifiers_that_share_a_dropout():
    head = build('DAHead', pam_channels=4).train()
    head.eval()
    done = run(head, [maps()])
    fused, position, channel = head([maps()])
    assert torch.equal(done.logits, fused)
    assert torch.equal(done.further['pam_conv_seg'], position)
    assert torch.equal(done.further['cam_conv_seg'], channel)
    assert torch.equal(head.conv_seg(done.features), fused)
    assert len(head.classifiers()) == 3


@pytest.mark.parametrize('training', [True, False])
def test_boundary_branch_of_pidnet_stays(training):
    head = build('PIDHead', in_channels=8).train(training)
    inputs = (maps(4), maps(8), maps(4)) if training else maps(8)
    done = run(head, inputs)
    assert set(done.further) == ({'p_cls_seg'} if training else set())
    frozen = {n for n, p in head.named_parameters() if not p.requires_grad}
    assert frozen == {
        n for n, _ in head.named_parameters() if n.startswith('d_')
    }
    before = head.d_cls_seg.weight.clone()
    drawn = head.redraw(torch.Generator())
    assert len(drawn) == 4  # weight and bias of two classifiers
    assert torch.equal(head.d_cls_seg.weight, before)


def test_presence_of_classes_in_encnet_is_not_trained():
    head = build('EncHead', in_channels=[8], in_index=[0], num_codes=3)
    done = run(head, [maps()])
    assert not done.further
    assert torch.equal(done.logits, head([maps()])[0])
    assert not head.se_layer.weight.requires_grad
    build(
        'EncHead',
        in_channels=[8],
        in_index=[0],
        num_codes=3,
        use_se_loss=False,
    )


def test_boundary_head_of_stdc_keeps_its_classes():
    head = build('STDCHead', num_classes=2, num_convs=1, concat_input=False)
    assert head.num_classes == 2 and not isinstance(head, ClusterHead)


def test_stages_of_a_cascade():
    first = build('FCNHead', num_convs=1, concat_input=False)
    second = build('OCRHead', ocr_channels=4, feature_layer='bottleneck.bn')
    coarse, last = run_stages([first, second], [maps()])
    assert torch.equal(coarse.logits, first([maps()]))
    assert torch.equal(last.logits, second([maps()], coarse.logits))
    assert (last.features < 0).any()
    # A teacher's earlier classifiers make the later features.
    second.drop_classifiers()
    assert isinstance(first.conv_seg, nn.Conv2d)
    again = run_stages([first, second], [maps()])[-1]
    assert torch.equal(again.features, last.features)


def test_points_of_pointrend_are_the_cells_before():
    heads = [
        build('FCNHead', num_convs=1, concat_input=False),
        build(
            'PointHead',
            [8],
            in_index=[0],
            num_fcs=2,
            dropout_ratio=-1,
            norm_cfg=None,
        ),
    ]
    first, last = run_stages(heads, [maps()])
    head = heads[1]
    # One cell after the other: both maps lie on the same cells here.
    x = torch.cat([maps(), first.logits], 1)
    for y in range(HEIGHT):
        for column in range(WIDTH):
            point = x[:, :, y, column, None]
            coarse = first.logits[:, :, y, column, None]
            logits = head(point[:, :8], coarse)[..., 0]
            torch.testing.assert_close(last.logits[..., y, column], logits)
    assert last.features.shape == (BATCH, 8, HEIGHT, WIDTH)
    assert head.refines_points and not heads[0].refines_points
    # The fine map may have another resolution.
    finer = run_stages(heads, [maps(scale=2)])[-1]
    assert finer.logits.shape == (BATCH, K, 2 * HEIGHT, 2 * WIDTH)


def test_tokens_of_segmenter():
    head = build(
        'SegmenterMaskTransformerHead',
        channels=8,
        num_layers=1,
        num_heads=2,
        embed_dims=8,
        norm_cfg=dict(type='LN'),
        dropout_ratio=0,
    )
    done = run(head, [maps()])
    assert torch.equal(done.logits, head([maps()]))
    assert done.features.shape == (BATCH, 8, HEIGHT, WIDTH)
    # The logits are the normalised cosines of features and tokens.
    tokens = head.dec_proj(maps().flatten(2).transpose(1, 2))
    tokens = torch.cat([tokens, head.cls_emb.expand(BATCH, -1, -1)], 1)
    for layer in head.layers:
        tokens = layer(tokens)
    tokens = head.decoder_norm(tokens)
    clusters = head.classes_proj(tokens[:, -K:])
    cosines = torch.cosine_similarity(
        done.features[:, None], clusters[..., None, None], dim=2
    )
    logits = head.mask_norm(cosines.movedim(1, -1)).movedim(-1, 1)
    torch.testing.assert_close(done.logits, logits)

    before = head.cls_emb.clone()
    drawn = head.redraw(torch.Generator().manual_seed(3))
    assert len(drawn) == 3
    assert not torch.equal(head.cls_emb, before)
    assert head.mask_norm.weight.eq(1).all()
    head.drop_classifiers()
    run(head, [maps()])


def test_redraw_is_reproducible():
    head = build('FCNHead', channels=400, num_convs=1, concat_input=False)
    drawn = head.redraw(torch.Generator().manual_seed(3), 0.5)
    assert [one is p for one, p in zip(drawn, head.conv_seg.parameters())]
    weight = head.conv_seg.weight.clone()
    assert abs(weight.std().item() - 0.5) < 0.05
    assert head.conv_seg.bias.eq(0).all()
    head.redraw(torch.Generator().manual_seed(3), 0.5)
    assert torch.equal(head.conv_seg.weight, weight)


def test_config_is_left_as_it_is():
    config = dict(
        type='FCNHead', in_channels=8, channels=8, num_classes=19,
        out_channels=19, loss_decode=dict(type='CrossEntropyLoss'),
    )  # fmt: skip
    before = copy.deepcopy(config)
    first, second = (
        MODELS.build(one) for one in as_cluster_heads([config, config], 300)
    )
    assert config == before
    for head in (first, second):
        assert head.num_classes == head.out_channels == 300
    assert as_cluster_heads(None, 3) is None
    assert first.loss_corr.loss_weight == 1.0


@pytest.mark.parametrize(
    'kind',
    [
        'IterativeDecodeHead',
        'Mask2FormerHead',
        'MaskFormerHead',
        'SideAdapterCLIPHead',
        'VPDDepthHead',
    ],
)
def test_refused_in_one_line(kind):
    with pytest.raises(ValueError, match=f'but {kind} ') as error:
        as_cluster_heads(dict(type=kind), K)
    assert '\n' not in str(error.value)


def test_wrong_layer_and_missing_classifier():
    options = dict(num_convs=1, concat_input=False)
    with pytest.raises(ValueError, match=r'convs\.0\.bn.*but got .nowhere'):
        build('FCNHead', feature_layer='nowhere', **options)
    with pytest.raises(ValueError, match='should be a decode head that ends'):
        build('HeadWithoutClassifier', **options)


@MODELS.register_module()
class HeadWithoutClassifier(FCNHead):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.conv_seg
