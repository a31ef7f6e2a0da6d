"""Frozen weights are shared, never saved, and have to be the same again."""

from __future__ import annotations

import copy
import sys

import pytest
import torch
from mmseg.registry import MODELS
from tiny_fgsn import images, model_config
from tiny_runs import assert_same_state, make_pairs, train

PLAIN = model_config().backbone
ADAPTED = dict(adapter='low_rank', adapter_width=2, adapter_layers=r'conv2$')


@pytest.fixture
def start(tmp_path):
    """File of a backbone's weights, as of a base network."""

    def make(seed=0):
        torch.manual_seed(seed)
        network = MODELS.build(PLAIN)
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point() and 'running_var' not in name:
                tensor.normal_(0, 0.2)
        path = tmp_path / f'start{seed}.pth'
        torch.save(dict(state_dict=network.state_dict()), path)
        return path

    return make


def frozen_config(path, **kwargs):
    init = dict(type='Pretrained', checkpoint=str(path))
    return dict(
        type='FrozenBackbone',
        backbone=dict(PLAIN, init_cfg=init),
        **{**ADAPTED, **kwargs},
    )


def test_maps_are_those_of_the_file(start):
    path = start()
    plain = MODELS.build(PLAIN)
    plain.eval()
    plain.load_state_dict(torch.load(path)['state_dict'])
    frozen = MODELS.build(frozen_config(path)).train()
    frozen.init_weights()  # as the runner does
    for one, two in zip(plain(images()), frozen(images())):
        assert one.any() and torch.equal(one, two)
    # Eight blocks' second convolutions, and what says which weights these are.
    assert len(frozen.state_dict()) == 8 * 2 + 1
    assert len(list(frozen.parameters())) == 8 * 2
    without = MODELS.build(frozen_config(path, adapter=None))
    assert [*without.state_dict()] == ['checksum']
    assert not without(images())[-1].requires_grad


def test_copies_share_frozen_weights_wherever_they_go(start):
    frozen = MODELS.build(frozen_config(start()))
    copied = copy.deepcopy(copy.deepcopy(frozen))
    inner, inner_copy = (
        one.network.layer2[0].conv2.parametrizations.weight
        for one in (frozen, copied)
    )
    assert inner.original is inner_copy.original
    assert inner[0].down is not inner_copy[0].down
    assert torch.equal(inner[0].down, inner_copy[0].down)
    torch.nn.Sequential(frozen, copied).to(torch.float64)
    assert inner.original.dtype == torch.float64
    assert inner.original is inner_copy.original
    maps = [one(images().double())[-1] for one in (frozen, copied)]
    assert maps[0].dtype == torch.float64 and torch.equal(*maps)


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp('pairs'))


def test_training_resumes_from_what_was_trained(start, pairs, tmp_path):
    options = dict(model=dict(backbone=frozen_config(start())))
    whole = train(pairs, tmp_path / 'whole', **options)
    model, frozen = whole.model, whole.model.backbone
    teacher = model.teacher.backbone
    assert frozen.frozen and all(
        own is shared for own, shared in zip(frozen.frozen, teacher.frozen)
    )
    plain = torch.load(start())['state_dict']
    found = frozen.network.layer3[1].conv1.weight
    assert torch.equal(found, plain['layer3.1.conv1.weight'])
    assert frozen.network.layer1[0].conv2.parametrizations.weight[0].up.any()

    saved = tmp_path / 'whole' / 'iter_3.pth'
    state = torch.load(saved)['state_dict']
    inside = [n for n in state if 'backbone.network' in n]
    assert inside and all('parametrizations.weight.0.' in n for n in inside)
    resumed = train(
        pairs,
        tmp_path / 'resumed',
        resume=True,
        load_from=str(saved),
        **options,
    )
    assert_same_state(resumed.model.state_dict(), model.state_dict())

    # Everything that goes over the state finds all that it looks for.
    again = MODELS.build(whole.cfg.model)
    again.load_state_dict(model.state_dict(), strict=True)
    again.eval(), model.eval()
    maps = [one.student_maps(images()).logits for one in (again, model)]
    assert torch.equal(*maps)

    other = model_config(backbone=frozen_config(start(1)))
    with pytest.raises(ValueError, match='should have the weights of the'):
        MODELS.build(other).load_state_dict(state, strict=False)


def test_averaged_models_share_it_too(start, pairs, tmp_path):
    runner = train(
        pairs,
        tmp_path / 'run',
        model=dict(backbone=frozen_config(start())),
        custom_hooks=[
            dict(type='EMAHook', momentum=0.5),
            dict(
                type='ClusteringHook',
                interval=2,
                dataloader=dict(
                    dataset=dict(
                        type='ReferenceImageDataset',
                        data_root=str(pairs),
                        pipeline=[
                            dict(type='LoadImagePair'),
                            dict(type='PackPairInputs'),
                        ],
                    )
                ),
            ),
        ],
    )
    (hook,) = [h for h in runner.hooks if type(h).__name__ == 'EMAHook']
    own, averaged = runner.model, hook.ema_model.module
    assert own.backbone.frozen[0] is averaged.backbone.frozen[0]
    first, second = (
        dict(model.backbone.named_parameters()) for model in (own, averaged)
    )
    assert first.keys() == second.keys()
    assert any(not torch.equal(first[n], second[n]) for n in first)


def test_says_that_timm_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    backbone = dict(type='mmseg.TIMMBackbone', model_name='vit_tiny')
    with pytest.raises(ImportError, match=r'fgsn-mmseg\[timm\]') as error:
        MODELS.build(dict(type='FrozenBackbone', backbone=backbone))
    assert '\n' not in str(error.value)
