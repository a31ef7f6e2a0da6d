"""Labels that are hardly predicted come into use after the training."""

import copy

import pytest
import torch
from mmengine.hooks import EMAHook
from tiny_runs import assert_same_state, make_pairs, make_runner, train

from fgsn_mmseg.engine import EquipartitionHook
from fgsn_mmseg.engine.equipartition_hook import (
    MAX_CELLS,
    equalizing_shift,
    main_bias,
    sample_logits,
)
from fgsn_mmseg.engine.pair_sampling import drawn_pairs

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


def run_with_hook(pairs, folder, further=(), **options):
    runner = make_runner(
        pairs,
        folder,
        hooks=[*further, EquipartitionHook(**options)],
        default_hooks=DEFAULT_HOOKS,
    )
    runner.train()
    return runner


def slow_shift(logits, rounds=500):
    """Small steps against what each label has too much of."""
    shift = torch.zeros(logits.shape[1], dtype=torch.float64)
    for _ in range(rounds):
        shares = (logits.double() + shift).softmax(1).mean(0)
        shift -= 0.5 * (shares * len(shift)).log()
    return shift - shift.mean()


def test_all_labels_are_predicted_alike():
    torch.manual_seed(0)
    logits = torch.randn(400, 7) * 2 + torch.linspace(-3, 3, 7)
    shift = equalizing_shift(logits)
    assert abs(shift.mean()) < 1e-6
    shares = (logits + shift).softmax(1).mean(0)
    torch.testing.assert_close(
        shares, torch.full((7,), 1 / 7), rtol=1e-3, atol=0
    )
    torch.testing.assert_close(
        shift.double(), slow_shift(logits), rtol=0, atol=0.01
    )
    assert equalizing_shift(torch.eye(5)).abs().max() < 1e-6


def test_only_the_bias_after_the_last_iteration(pairs, plain, tmp_path):
    before, folder = plain
    after = run_with_hook(pairs, tmp_path, strength=0.5, num_pairs=3)
    for number in (1, 2, 3):
        states = [
            torch.load(where / f'iter_{number}.pth')
            for where in (folder, tmp_path)
        ]
        assert_same_state(*(state['state_dict'] for state in states))
    state = torch.load(tmp_path / 'iter_4.pth')
    assert_same_state(state['state_dict'], after.model.state_dict())
    # All cells of the three pairs are fewer than the limit.
    model = before.model.eval()
    rows = []
    with torch.no_grad():
        for _, data in drawn_pairs(before, model, 3, (0, 4)):
            for images in (data['inputs']['img'], data['inputs']['img2']):
                rows.append(model.logit_map(images).data[0].flatten(1).T)
    rows = torch.cat(rows)
    assert len(rows) < MAX_CELLS
    expected = copy.deepcopy(model.state_dict())
    expected['decode_head.conv_seg.bias'] += 0.5 * slow_shift(rows)
    for name, value in after.model.state_dict().items():
        torch.testing.assert_close(
            value, expected[name], rtol=0, atol=2e-3, msg=name
        )


def test_labels_are_even_in_the_network(pairs, plain, tmp_path):
    before, _ = plain
    after = run_with_hook(pairs, tmp_path)
    means = [
        sample_logits(run, run.model, 5, (0, 4)).softmax(1).mean(0)
        for run in (before, after)
    ]
    assert means[0].std() > 0.01
    assert means[1].std() < 1e-3
    assert after.model.training


def test_resumed_run_is_the_same(pairs, tmp_path):
    whole = run_with_hook(pairs, tmp_path / 'run')
    again = train(
        pairs,
        tmp_path / 'again',
        hooks=[EquipartitionHook()],
        load_from=str(tmp_path / 'run/iter_3.pth'),
        resume=True,
    )
    assert_same_state(again.model.state_dict(), whole.model.state_dict())


def test_averaged_model_has_a_shift_of_its_own(pairs, tmp_path):
    averages, runs = [], []
    for strength in (0.0, 1.0):
        ema = EMAHook(momentum=0.5)
        runs.append(
            run_with_hook(
                pairs, tmp_path / str(strength), [ema], strength=strength
            )
        )
        averages.append(ema.ema_model.module)
    logits = sample_logits(runs[0], averages[0], 400, (0, 4))
    torch.testing.assert_close(
        main_bias(averages[1]),
        main_bias(averages[0]) + equalizing_shift(logits),
    )


def test_refuses_what_it_cannot_shift(pairs, tmp_path):
    for options, name in ((dict(strength=-1), 'st'), (dict(num_pairs=0), 'n')):
        with pytest.raises(ValueError, match=f'`{name}'):
            EquipartitionHook(**options)
    runner = make_runner(pairs, tmp_path, hooks=[EquipartitionHook()])
    runner.model.decode_head.conv_seg.bias = None
    with pytest.raises(TypeError, match='a bias, but got FGSN with'):
        runner.train()
