from __future__ import annotations

import itertools

import pytest
import torch

from fgsn_mmseg.inference import even_windows, linear_ramp


def test_even_windows_of_the_paper():
    assert even_windows(1365, 713, 476) == [0, 326, 652]
    assert even_windows(1024, 713, 476) == [0, 311]
    assert even_windows(713, 713, 476) == [0]
    assert even_windows(300, 713, 476) == [0]
    assert even_windows(714, 713, 476) == [0, 1]


@pytest.mark.parametrize('window', [1, 2, 7, 10])
def test_even_windows_cover_the_axis_with_the_fewest(window):
    for length in range(1, 60):
        for stride in range(1, window + 1):
            starts = even_windows(length, window, stride)
            if length <= window:
                assert starts == [0]
                continue
            assert starts[0] == 0 and starts[-1] + window == length
            steps = [b - a for a, b in itertools.pairwise(starts)]
            assert max(steps) <= stride
            assert max(steps) - min(steps) <= 1
            # One window fewer would need a longer step.
            assert (len(starts) - 2) * stride < length - window


def test_even_windows_refuses_gaps_and_nothing():
    with pytest.raises(ValueError, match='`max_stride` should be from 1 to'):
        even_windows(100, 10, 11)
    with pytest.raises(ValueError, match='`max_stride`'):
        even_windows(100, 10, 0)
    with pytest.raises(ValueError, match='`length` should be at least 1'):
        even_windows(0, 10, 5)
    with pytest.raises(ValueError, match='`window` should be at least 1'):
        even_windows(10, 0, 5)


def test_linear_ramp_by_hand():
    assert linear_ramp(7, 2).tolist() == [0.5, 1, 1, 1, 1, 1, 0.5]
    assert linear_ramp(5, 4).tolist() == [0.25, 0.5, 0.75, 0.5, 0.25]
    assert linear_ramp(4, 1).tolist() == [1, 1, 1, 1]
    assert linear_ramp(1, 4).tolist() == [0.25]
    ramp = linear_ramp(713, 238)
    assert ramp.dtype == torch.float32 and ramp.shape == (713,)
    assert ramp[0] == ramp[-1] == torch.tensor(1 / 238)
    assert ramp[236] < 1 and ramp[237] == 1 and ramp[-238] == 1


def test_linear_ramp_refuses_nothing():
    with pytest.raises(ValueError, match='`overlap` should be at least 1'):
        linear_ramp(5, 0)
    with pytest.raises(ValueError, match='`length` should be at least 1'):
        linear_ramp(0, 5)
