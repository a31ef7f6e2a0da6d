from __future__ import annotations

import copy

import torch
from mmengine.optim import build_optim_wrapper

from fgsn_mmseg.engine import FusedSGD

SETTINGS = dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)


def train(model, kind, steps=5):
    torch.manual_seed(0)
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            optimizer=dict(type=kind, **SETTINGS),
            paramwise_cfg=dict(
                custom_keys={'.bias': dict(lr_mult=2.0, decay_mult=0.0)}
            ),
        ),
    )
    for _ in range(steps):
        loss = model(torch.randn(4, 3, 9, 11)).square().mean()
        wrapper.update_params(loss)
    return wrapper.optimizer


def test_same_steps_as_sgd():
    torch.manual_seed(1)
    plain = torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, 3), torch.nn.ReLU(), torch.nn.Conv2d(5, 2, 3)
    )
    fused = copy.deepcopy(plain)
    start = copy.deepcopy(plain)
    expected, optimizer = train(plain, 'SGD'), train(fused, 'FusedSGD')
    assert isinstance(optimizer, FusedSGD)
    assert [group['lr'] for group in optimizer.param_groups] == [
        0.1,
        0.2,
    ] * 2
    for one, two, before in zip(
        plain.parameters(), fused.parameters(), start.parameters()
    ):
        torch.testing.assert_close(two, one, rtol=1e-5, atol=1e-7)
        assert not torch.equal(two, before)
    # A checkpoint of the one goes on with the other.
    optimizer.load_state_dict(expected.state_dict())
    buffers = [state['momentum_buffer'] for state in optimizer.state.values()]
    assert len(buffers) == 4
