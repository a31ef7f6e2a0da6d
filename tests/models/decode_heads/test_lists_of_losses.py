"""Several losses of logits and of features, in an FGSN."""

import pytest
import torch
from tiny_fgsn import build_model, pair_batch, teach

CORR = [
    dict(type='CorrespondenceLoss'),
    dict(type='ConsistencyLoss', loss_weight=0.5),
    dict(type='MeanEntropyLoss', loss_weight=0.1),
]
FEAT = [
    dict(type='FeatureHingeLoss'),
    dict(type='PrototypeContrastiveLoss'),
]


def losses_of(seed=0, **kwargs):
    model = teach(build_model(**kwargs))
    torch.manual_seed(seed)
    return model, model.loss(*pair_batch())


def test_names_and_weights():
    """Features of the auxiliary head have no centroids."""
    model, losses = losses_of(loss_corr=CORR, loss_feat=FEAT)
    names = ['consistency', 'corr', 'entropy', 'feat', 'seg']
    assert sorted(losses) == sorted(
        [f'{head}.loss_{name}' for head in ('aux', 'decode') for name in names]
        + ['decode.loss_proto']
    )
    aux = model.auxiliary_head
    weights = [loss.loss_weight for loss in aux.loss_corr]
    assert weights == pytest.approx([0.4, 0.2, 0.04])
    (hinge,) = aux.loss_feat
    assert hinge.loss_weight == 0.4


@pytest.mark.parametrize('fraction', [0.5, 0.0, 1.0, None])
def test_each_is_what_it_is_alone(fraction):
    """Whichever images are run; the image without a gradient is compared."""
    kwargs = dict(fraction_reference=fraction)
    _, together = losses_of(loss_corr=CORR, loss_feat=FEAT, **kwargs)
    alone = {}
    for loss in CORR:
        alone.update(losses_of(loss_corr=loss, **kwargs)[1])
    for loss in FEAT:
        alone.update(losses_of(loss_corr=None, loss_feat=loss, **kwargs)[1])
    assert together.keys() == alone.keys()
    for name, value in together.items():
        torch.testing.assert_close(value, alone[name], msg=name)


def test_comparison_is_the_same_whoever_carries_the_gradient():
    kwargs = dict(loss_corr=CORR[1])
    found = [
        losses_of(fraction_reference=fraction, **kwargs)
        for fraction in (0.0, 1.0, None)
    ]
    values = [losses['decode.loss_consistency'] for _, losses in found]
    assert float(values[0]) > 0
    for value in values[1:]:
        torch.testing.assert_close(value, values[0])
    gradients = []
    for (model, _), value in zip(found, values):
        value.backward()
        gradients.append(model.decode_head.conv_seg.weight.grad)
    torch.testing.assert_close(gradients[0] + gradients[1], gradients[2])


def test_two_of_one_name_are_added_up():
    _, once = losses_of(loss_corr=CORR[0])
    _, twice = losses_of(loss_corr=[CORR[0], CORR[0]])
    name = 'decode.loss_corr'
    torch.testing.assert_close(twice[name], 2 * once[name])


def test_prototypes_alone_run_the_targets():
    """And ask for labels, though no classifier learns any."""
    model = teach(
        build_model(
            w_seg=0.0, loss_corr=None, loss_feat=FEAT[1],
            fraction_reference=0.0,
        )
    )  # fmt: skip
    losses = model.loss(*pair_batch())
    assert list(losses) == ['decode.loss_proto']
    losses['decode.loss_proto'].backward()
    gradient = model.backbone.layer4[0].conv1.weight.grad
    assert gradient.isfinite().all() and gradient.any()


def test_prototypes_in_a_head_without_codebook():
    with pytest.raises(ValueError, match='main decode head of an FGSN'):
        losses_of(
            auxiliary_head=dict(
                type='ClusterHead',
                loss_feat=FEAT[1],
                head=dict(
                    type='FCNHead',
                    in_channels=32,
                    in_index=2,
                    channels=8,
                    num_convs=1,
                    num_classes=19,
                    loss_decode=dict(type='CrossEntropyLoss'),
                ),
            )
        )
