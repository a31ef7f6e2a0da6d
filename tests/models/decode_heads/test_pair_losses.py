"""The losses of a cluster head are those that its config names."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from tiny_fgsn import build_model, model_config, pair_batch, teach

from fgsn_mmseg.models import ClusterHead
from fgsn_mmseg.models.decode_heads import HeadMaps
from fgsn_mmseg.models.pairs import Pairs

K = 5
H, W = 6, 9


def build(kind='FCNHead', loss_decode=None, num_clusters=K, **kwargs):
    torch.manual_seed(0)
    options = dict(loss_corr=kwargs.pop('loss_corr', None))
    if kind == 'FCNHead':
        kwargs = dict(num_convs=1, concat_input=False, **kwargs)
    head = dict(
        type=kind,
        in_channels=8,
        channels=8,
        norm_cfg=dict(type='BN'),
        loss_decode=loss_decode or dict(type='CrossEntropyLoss'),
        **kwargs,
    )
    config = dict(type='ClusterHead', head=head, num_clusters=num_clusters)
    return MODELS.build({**config, **options})


def some_pairs(num_clusters=K, batch=2, run=None):
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(num_clusters, (batch, H, W), generator=generator)
    points = [torch.tensor([[8.0, 0.0], [64.0, 40.0]])] * batch
    if run is None:
        run = torch.ones(batch, 2, dtype=torch.bool)
    return Pairs(
        points, points, (8 * (H - 1) + 1, 8 * (W - 1) + 1), run, labels
    )


def logits(count, num_clusters=K, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, num_clusters, H, W, generator=generator)


def losses_of(head, pairs, maps=None):
    count = int(pairs.run.sum())
    maps = logits(count, head.num_classes) if maps is None else maps
    return head.pair_losses(HeadMaps(maps, maps), pairs)


def references(pairs, maps):
    return maps[pairs.run.nonzero()[:, 1] == 0]


def test_class_weights():
    weights = [0.1, 1.0, 2.0, 3.0, 0.5]
    loss = dict(type='CrossEntropyLoss', class_weight=weights, loss_weight=0.7)
    pairs = some_pairs()
    found = losses_of(build(loss_decode=loss), pairs)
    assert list(found) == ['loss_seg']
    total = 0.0
    scores = references(pairs, logits(4)).log_softmax(1)
    for b in range(2):
        for y in range(H):
            for x in range(W):
                label = int(pairs.labels[b, y, x])
                total -= weights[label] * float(scores[b, label, y, x])
    # mmseg divides by the weights of all cells.
    used = sum(weights[int(k)] for k in pairs.labels.flatten())
    assert float(found['loss_seg']) == pytest.approx(
        0.7 * total / used, rel=1e-5
    )


def test_weights_of_another_number_of_classes_are_left_out():
    loss = dict(type='CrossEntropyLoss', class_weight=[0.5] * 19)
    head = build(loss_decode=loss)
    assert head.loss_decode.class_weight is None
    assert losses_of(head, some_pairs())['loss_seg'].isfinite()


@pytest.mark.parametrize('num_clusters', [K, 300])
def test_a_list_of_losses(num_clusters):
    """Each by its name; Dice keeps class 255, which mmseg's would drop."""
    head = build(
        loss_decode=[
            dict(type='CrossEntropyLoss', loss_weight=2.0),
            dict(type='DiceLoss', use_sigmoid=False, loss_weight=3.0),
        ],
        num_clusters=num_clusters,
    )
    pairs = some_pairs(num_clusters)
    found = losses_of(head, pairs)
    assert list(found) == ['loss_seg_ce', 'loss_seg_dice']
    rows = references(pairs, logits(4, num_clusters))
    ce = F.cross_entropy(rows, pairs.labels)
    assert float(found['loss_seg_ce']) == pytest.approx(2 * float(ce), 1e-5)
    shares = rows.softmax(1)
    truth = F.one_hot(pairs.labels, num_clusters).movedim(-1, 1).float()
    dice = []
    for share, one in zip(shares, truth):
        top = 2 * float((share * one).sum())
        bottom = float((share**2).sum() + (one**2).sum()) + 2e-3
        dice.append(1 - top / bottom)
    assert float(found['loss_seg_dice']) == pytest.approx(
        3 * sum(dice) / 2, rel=1e-5
    )


def test_focal_loss():
    head = build(loss_decode=dict(type='FocalLoss', gamma=2.0, alpha=0.25))
    pairs = some_pairs()
    pairs.labels[0, 0] = 65535
    found = losses_of(head, pairs)
    assert list(found) == ['loss_seg']
    scores = references(pairs, logits(4)).sigmoid().double()
    total = 0.0
    for b in range(2):
        for y in range(H):
            for x in range(W):
                for k in range(K * (y > 0 or b > 0)):
                    p = float(scores[b, k, y, x])
                    if k == pairs.labels[b, y, x]:
                        total -= 0.25 * (1 - p) ** 2 * math.log(p)
                    else:
                        total -= 0.75 * p**2 * math.log(1 - p)
    assert float(found['loss_seg']) == pytest.approx(
        total / (2 * H * W * K), rel=1e-5
    )


def test_hard_cells_alone():
    """OHEM: the n cells of the lowest probability count."""
    head = build(
        sampler=dict(type='OHEMPixelSampler', thresh=1e-9, min_kept=7)
    )
    pairs = some_pairs()
    found = float(losses_of(head, pairs)['loss_seg'])
    rows = references(pairs, logits(4))
    each = F.cross_entropy(rows, pairs.labels, reduction='none').flatten()
    # mmseg keeps min_kept cells an image on average, those below the
    # threshold probability of the n-th; the mean is over all cells.
    order = each.sort(descending=True).values
    expected = float(order[: 2 * 7].sum()) / each.numel()
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('ignored', [-1, 65535])
def test_cells_without_label(ignored):
    pairs = some_pairs(300)
    pairs.labels[:, :, 4:] = ignored
    pairs.labels[0, 0, 0] = 255
    loss = dict(type='CrossEntropyLoss', avg_non_ignore=True)
    head = build(loss_decode=loss, num_clusters=300)
    rows = references(pairs, logits(4, 300))
    expected = F.cross_entropy(rows[..., :4], pairs.labels[..., :4])
    found = losses_of(head, pairs, logits(4, 300))['loss_seg']
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_pairs_whose_reference_is_not_run_count_as_zero():
    run = torch.tensor([[True, False], [False, True]])
    pairs = some_pairs(run=run)
    maps = logits(2).requires_grad_()
    found = losses_of(build(), pairs, maps)['loss_seg']
    expected = F.cross_entropy(maps[:1], pairs.labels[:1]) / 2
    assert float(found) == pytest.approx(float(expected), rel=1e-6)
    none = some_pairs(run=torch.tensor([[False, True]] * 2))
    zero = losses_of(build(), none, maps)['loss_seg']
    zero.backward()  # connected, for DistributedDataParallel
    assert zero == 0 and not maps.grad.any()


def test_further_classifiers_of_danet_weigh_less():
    """Paper: what is not the main classifier weighs 0.4."""
    loss_corr = dict(type='CorrespondenceLoss')
    head = build('DAHead', pam_channels=4, loss_corr=loss_corr)
    pairs, maps = some_pairs(), logits(4)
    further = {'pam_conv_seg': maps, 'cam_conv_seg': maps}
    found = head.pair_losses(HeadMaps(maps, maps, further), pairs)
    assert len(found) == 6
    for name in ('loss_seg', 'loss_corr'):
        for prefix in further:
            ratio = float(found[f'{prefix}.{name}'] / found[name])
            assert ratio == pytest.approx(0.4)


def test_ddrnet_has_a_dense_loss_for_each_classifier():
    """mmseg's config: OHEM twice, weights 1 and 0.4."""
    ohem = dict(type='OhemCrossEntropy', thres=0.1, min_kept=1)
    head = build(
        'DDRHead',
        [dict(ohem, loss_weight=1.0), dict(ohem, loss_weight=0.4)],
        loss_corr=dict(type='CorrespondenceLoss', loss_weight=2.0),
    )
    pairs, maps = some_pairs(), logits(4)
    found = head.pair_losses(
        HeadMaps(maps, maps, {'aux_cls_seg': maps}), pairs
    )
    plain = build('DDRHead').pair_losses(
        HeadMaps(maps, maps, {'aux_cls_seg': maps}), pairs
    )
    assert set(found) == {
        'loss_seg', 'loss_corr', 'aux_cls_seg.loss_seg',
        'aux_cls_seg.loss_corr',
    }  # fmt: skip
    for name in ('loss_seg', 'loss_corr'):
        ratio = float(found[f'aux_cls_seg.{name}'] / found[name])
        assert ratio == pytest.approx(0.4)
    # Hard cells are honoured.
    assert float(found['loss_seg']) > float(plain['loss_seg'])


def test_weights_and_names_of_our_losses():
    corr = dict(
        type='CorrespondenceLoss', loss_weight=0.25, loss_name='loss_x'
    )
    found = losses_of(build(loss_corr=corr), some_pairs())
    plain = losses_of(
        build(loss_corr=dict(type='CorrespondenceLoss')), some_pairs()
    )
    assert set(found) == {'loss_seg', 'loss_x'}
    ratio = float(found['loss_x'] / plain['loss_corr'])
    assert ratio == pytest.approx(0.25)


def explicit(config):
    """The long form of `model_config`: heads named in the config."""
    for key, weight in (('decode_head', 1.0), ('auxiliary_head', 0.4)):
        config[key] = dict(
            type='ClusterHead',
            head=config[key],
            feature_layer='bottleneck.bn' if weight == 1 else None,
            loss_corr=dict(type='CorrespondenceLoss', loss_weight=weight),
            loss_feat=dict(type='FeatureHingeLoss', loss_weight=0.5 * weight),
        )
    for key in ('loss_corr', 'loss_feat'):
        config.pop(key)
    return config


def test_both_forms_are_one():
    short = build_model(feature_layer='bottleneck.bn', w_feat=0.5)
    torch.manual_seed(0)
    long = MODELS.build(explicit(model_config()))
    assert list(long.state_dict()) == list(short.state_dict())
    long.load_state_dict(short.state_dict())
    results = []
    for model in (short, long):
        teach(model)
        losses = model.loss(*pair_batch())
        sum(losses.values()).backward()
        gradients = [p.grad for p in model.parameters()]
        results.append((losses, gradients))
    (first, grads), (second, grads2) = results
    assert set(first) == set(second) and len(first) == 6
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    assert all(torch.equal(a, b) for a, b in zip(grads, grads2))


def test_two_numbers_of_clusters():
    config = explicit(model_config(num_clusters=6))
    config.decode_head.num_clusters = 8
    with pytest.raises(ValueError, match='that of the FGSN, 6, but got 8'):
        MODELS.build(config)


def plain_segmentor(num_clusters):
    config = explicit(model_config())
    for head in ('decode_head', 'auxiliary_head'):
        config[head].update(num_clusters=num_clusters, feature_layer=None)
    config.type = 'EncoderDecoder'
    config.pop('num_clusters')
    config.data_preprocessor = None
    return MODELS.build(config)


def map_samples(labels):
    samples = []
    for one in labels:
        samples.append(SegDataSample(metainfo=dict(img_shape=one.shape)))
        samples[-1].gt_sem_seg = PixelData(data=one[None])
    return samples


def test_plain_segmentor_learns_label_maps():
    """255 is an ordinary label, 65535 and -1 are none; the labels of the
    cells are those of their nearest pixels."""
    model = plain_segmentor(300)
    assert isinstance(model.decode_head, ClusterHead)
    size = (97, 129)
    labels = torch.randint(300, (2, *size))
    labels[:, :, 64:] = 65535
    labels[1, :, 100:] = -1
    labels[0, :40, :40] = 255
    images = torch.randn(2, 3, *size)
    losses = model.loss(images, map_samples(labels))
    maps = model.decode_head(model.extract_feat(images))
    total = 0.0
    scores = maps.log_softmax(1)
    for b in range(2):
        for y in range(13):
            for x in range(17):
                label = int(labels[b, 8 * y, 8 * x])
                if label not in (-1, 65535):
                    total -= float(scores[b, label, y, x])
    assert float(losses['decode.loss_ce']) == pytest.approx(
        total / (2 * 13 * 17), rel=1e-4
    )
    assert float(losses['aux.loss_ce']) > 0
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(5):
        optimizer.zero_grad()
        everywhere = map_samples(torch.full((2, *size), 255))
        sum(
            value
            for name, value in model.loss(images, everywhere).items()
            if 'loss' in name
        ).backward()
        optimizer.step()
    found = model.eval().predict(images)[0].pred_sem_seg.data
    assert (found == 255).all()
    assert math.isfinite(total)
