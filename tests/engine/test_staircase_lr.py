import pytest
import torch
from mmseg.registry import PARAM_SCHEDULERS


def rates(steps, lr=0.9, begin_from=None, **config):
    """Learning rate of each iteration."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = PARAM_SCHEDULERS.build(
        dict(by_epoch=False, **config), default_args=dict(optimizer=optimizer)
    )
    if begin_from is not None:
        state, group = begin_from
        scheduler.load_state_dict(state)
        optimizer.param_groups[0].update(group)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    group = {'lr': optimizer.param_groups[0]['lr'], 'initial_lr': lr}
    return found, (scheduler.state_dict(), group)


def test_moves_at_multiples_of_the_interval_only():
    found, _ = rates(9, type='StaircaseLR', interval=3, end=9)
    assert found == pytest.approx([0.9] * 3 + [0.6] * 3 + [0.3] * 3)


def test_numbers_of_the_paper():
    """Six steps of 10,000 iterations, here of 10."""
    found, _ = rates(60, 2.5e-5, type='StaircaseLR', interval=10, end=60)
    for i in (0, 9, 10, 11, 19, 20, 49, 50, 59):
        assert found[i] == pytest.approx(2.5e-5 * (1 - i // 10 * 10 / 60))


def test_interval_that_does_not_divide():
    found, _ = rates(8, 1.0, type='StaircaseLR', interval=3, end=8)
    expected = [1, 1, 1, 5 / 8, 5 / 8, 5 / 8, 2 / 8, 2 / 8]
    assert found == pytest.approx(expected)


def test_agrees_with_the_line_at_the_steps():
    stairs, _ = rates(12, type='StaircaseLR', interval=4, end=12)
    line, _ = rates(12, type='PolyLR', power=1.0, eta_min=0.0, end=13)
    assert stairs[::4] == pytest.approx(line[::4])
    assert all(a >= b - 1e-12 for a, b in zip(stairs, line))


def test_linear_config():
    """mmengine's PolyLR of power 1 is the paper's line to 0.

    It reaches 0 one iteration before its `end`.
    """
    config = dict(type='PolyLR', power=1.0, eta_min=0.0)
    found, _ = rates(5, 1.0, end=6, **config)
    assert found == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])
    found, _ = rates(5, 1.0, end=5, **config)
    assert found == pytest.approx([1, 0.75, 0.5, 0.25, 0])


@pytest.mark.parametrize('stop', [1, 3, 5])
def test_resumes(stop):
    config = dict(type='StaircaseLR', interval=3, end=9)
    whole, _ = rates(9, **config)
    _, state = rates(stop, **config)
    rest, _ = rates(9 - stop, begin_from=state, **config)
    assert rest == pytest.approx(whole[stop:])


def test_interval_has_to_be_positive():
    with pytest.raises(ValueError, match='`interval` should be positive'):
        rates(1, type='StaircaseLR', interval=0, end=9)
