"""Labels that are hardly predicted come into use after the training."""

import copy

import pytest
import torch
from mmengine.hooks import EMAHook
from tiny_runs import assert_same_state, make_pairs, make_runner, train

from fgsn_mmseg.engine import LogitAdjustmentHook
from fgsn_mmseg.engine.logit_adjustment_hook import (
    adjustment,
    main_bias,
    mean_assignment,
)
from fgsn_mmseg.engine.pair_sampling import drawn_pairs

HOOK = dict(type='LogitAdjustmentHook', tau=0.5, num_pairs=3)
DEFAULT_HOOKS = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1),
)


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp('pairs'))


@pytest.fixture(scope='module')
def plain(pairs, tmp_path_factory):
    """A run without the hook and its folder."""
    folder = tmp_path_factory.mktemp('plain')
    return train(pairs, folder, default_hooks=DEFAULT_HOOKS), folder


def adjusted_run(pairs, folder, hook=HOOK, **kwargs):
    hooks = [LogitAdjustmentHook(**{k: hook[k] for k in hook if k != 'type'})]
    kwargs.setdefault('default_hooks', DEFAULT_HOOKS)
    return train(pairs, folder, hooks=hooks, **kwargs)


def test_adjustment_by_hand():
    shares = torch.tensor([0.5, 0.25, 0.25, 0.0])
    wanted = torch.tensor([2.0, 1.0, 1.0, 1e-4]).log().mul(-0.5)
    torch.testing.assert_close(adjustment(shares, 0.5), wanted)
    assert adjustment(torch.full((5,), 0.2)).abs().max() < 1e-6
    assert not adjustment(shares, 0.0).any()


def test_only_the_bias_after_the_last_iteration(pairs, plain, tmp_path):
    before, folder = plain
    after = adjusted_run(pairs, tmp_path)
    for number in (1, 2, 3):
        states = [
            torch.load(where / f'iter_{number}.pth', weights_only=False)
            for where in (folder, tmp_path)
        ]
        assert_same_state(*(state['state_dict'] for state in states))
    state = torch.load(tmp_path / 'iter_4.pth', weights_only=False)
    assert_same_state(state['state_dict'], after.model.state_dict())
    expected = copy.deepcopy(before.model.state_dict())
    total = count = 0
    model = before.model.eval()
    with torch.no_grad():
        for _, data in drawn_pairs(before, model, 3, (0, 4)):
            for images in (data['inputs']['img'], data['inputs']['img2']):
                for cell in model.logit_map(images).data[0].flatten(1).T:
                    total = total + cell.exp() / cell.exp().sum()
                    count += 1
    bias = expected['decode_head.conv_seg.bias']
    bias -= 0.5 * (total / count * len(bias)).log()
    for name, value in after.model.state_dict().items():
        torch.testing.assert_close(value, expected[name], msg=name)


def test_makes_the_labels_more_even(pairs, plain, tmp_path):
    before, _ = plain
    after = adjusted_run(pairs, tmp_path, dict(tau=1.0, num_pairs=5))
    spreads = [
        mean_assignment(run, run.model, 5, (0, 4)).std()
        for run in (before, after)
    ]
    assert spreads[1] < 0.5 * spreads[0]
    assert after.model.training


def test_resumed_run_is_the_same(pairs, tmp_path):
    whole = adjusted_run(pairs, tmp_path / 'run')
    again = adjusted_run(
        pairs,
        tmp_path / 'again',
        load_from=str(tmp_path / 'run/iter_3.pth'),
        resume=True,
    )
    assert_same_state(again.model.state_dict(), whole.model.state_dict())


def test_averaged_model_is_adjusted(pairs, tmp_path):
    runs = []
    for name, further in (('plain', []), ('own', [LogitAdjustmentHook()])):
        ema = EMAHook(momentum=0.5)
        runner = make_runner(pairs, tmp_path / name, hooks=[ema, *further])
        runner.train()
        runs.append((runner, average_of(ema)))
    (runner, averaged), (_, adjusted) = runs
    shares = mean_assignment(runner, averaged, 400, (0, 4))
    torch.testing.assert_close(
        main_bias(adjusted), main_bias(averaged) + adjustment(shares).float()
    )


def average_of(ema):
    """The model that a hook averages."""
    return ema.ema_model.module


def test_refuses_what_it_cannot_adjust(pairs, tmp_path):
    for arguments, name in ((dict(tau=-1), 'tau'), (dict(num_pairs=0), 'num')):
        with pytest.raises(ValueError, match=name):
            LogitAdjustmentHook(**arguments)
    runner = make_runner(pairs, tmp_path, hooks=[LogitAdjustmentHook()])
    runner.model.decode_head.conv_seg.bias = None
    with pytest.raises(TypeError, match='a bias, but got FGSN with'):
        runner.train()
