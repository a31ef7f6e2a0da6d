import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from tiny_fgsn import build_model, pair_batch, teach

from fgsn_mmseg.structures import IGNORED_LABEL


def make(**kwargs):
    return MODELS.build(dict(type='PriorCorrectedLoss', **kwargs))


def batch(clusters=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, clusters, 3, 4, generator=generator)
    labels = torch.randint(0, clusters, (2, 3, 4), generator=generator)
    return logits, labels


def test_hand_computed():
    """Two labels, three of four cells the first: shares 3/4 and 1/4."""
    loss = make(momentum=1.0, loss_weight=2.0)
    loss.set_num_classes(2)
    logits = torch.zeros(1, 2, 1, 4)
    labels = torch.tensor([[[0, 0, 0, 1]]])
    # The softmax is then the shares: the cross entropy is their entropy.
    shares = torch.tensor([0.75, 0.25])
    expected = -2 * (shares * shares.log()).sum()
    assert float(loss(logits, labels)) == pytest.approx(float(expected))


def test_against_naive():
    loss = make(tau=0.7, momentum=0.1)
    loss.set_num_classes(5)
    prior = torch.full((5,), 0.2)
    for seed in range(3):
        logits, labels = batch(seed=seed)
        counts = torch.tensor([int((labels == k).sum()) for k in range(5)])
        prior = 0.9 * prior + 0.1 * counts / labels.numel()
        total = 0
        for b in range(2):
            for y in range(3):
                for x in range(4):
                    scores = logits[b, :, y, x] + 0.7 * prior.log()
                    total -= scores.log_softmax(0)[labels[b, y, x]]
        torch.testing.assert_close(loss(logits, labels), total / 24)
        torch.testing.assert_close(loss.prior, prior)


def test_without_tau_it_is_cross_entropy():
    loss = make(tau=0.0)
    logits, labels = batch()
    torch.testing.assert_close(
        loss(logits, labels), F.cross_entropy(logits, labels)
    )


def test_ignored_labels_do_not_count():
    loss, other = make(momentum=1.0), make(momentum=1.0)
    logits, labels = batch()
    loss.set_num_classes(5)
    labels[0, 0] = IGNORED_LABEL
    loss(logits, labels, ignore_index=IGNORED_LABEL)
    assert float(loss.prior.sum()) == pytest.approx(1)
    everything = torch.full_like(labels, IGNORED_LABEL)
    before = loss.prior.clone()
    loss(logits, everything, ignore_index=IGNORED_LABEL)
    assert torch.equal(loss.prior, before)
    assert other.prior.shape == (0,)


def test_prior_rests_in_eval_mode():
    loss = make(momentum=1.0).eval()
    loss.set_num_classes(5)
    loss(*batch())
    assert torch.equal(loss.prior, torch.full((5,), 0.2))


def test_in_an_fgsn():
    """Room for K from the start, in the state, forgotten with the labels."""
    head = dict(loss_decode=dict(type='PriorCorrectedLoss', momentum=0.5))
    model = build_model(
        num_clusters=6, **{'decode_head': {**DECODE_HEAD, **head}}
    )
    name = 'decode_head.loss_decode.prior'
    assert model.state_dict()[name].shape == (6,)
    teach(model)
    model.fraction_reference = None
    losses = model.loss(*pair_batch())
    assert losses['decode.loss_seg'].isfinite()
    prior = model.decode_head.loss_decode.prior
    assert float(prior.std()) > 0
    model.set_codebook(model.codebook)
    assert float(prior.std()) == pytest.approx(0)


DECODE_HEAD = dict(
    type='PSPHead',
    in_channels=64,
    in_index=3,
    channels=12,
    pool_scales=(1, 2),
    num_classes=19,
    norm_cfg=dict(type='BN', requires_grad=True),
    align_corners=True,
    dropout_ratio=0.0,
)


@pytest.mark.parametrize('momentum', [0, 1.5])
def test_momentum_that_cannot_be(momentum):
    with pytest.raises(ValueError, match='`momentum` should be'):
        make(momentum=momentum)
