from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from fgsn_mmseg.geometry import pixel_cells
from fgsn_mmseg.inference import winning, winning_labels, winning_labels_at


def dense(logits, size, align_corners):
    """All clusters at full size, the slow and obvious way."""
    return F.interpolate(
        logits[None].float(),
        size,
        mode='bilinear',
        align_corners=align_corners,
    )[0]


def smooth(clusters, height, width, seed=0):
    """Logits whose patches have few candidates."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, clusters, 4, 5, generator=generator)
    noise = torch.randn(clusters, height, width, generator=generator)
    return 3 * dense(coarse[0], (height, width), True) + 0.1 * noise


def check(labels, values):
    """Every winner is the largest value but for rounding."""
    assert labels.dtype == torch.int64 and labels.shape == values.shape[1:]
    expected = values.argmax(0)
    best = values.amax(0)
    taken = values.gather(0, labels[None])[0]
    assert ((best - taken) <= 1e-5 * values.abs().amax(0)).all()
    assert (labels == expected).double().mean() > 0.9999


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('clusters', [1, 2, 19, 300])
@pytest.mark.parametrize(
    ('cells', 'size'),
    [
        ((13, 18), (97, 137)),  # pitch 8 with align_corners
        ((13, 18), (104, 144)),  # pitch 8 without
        ((9, 14), (50, 83)),  # no whole pitch
        ((9, 14), (9, 14)),  # nothing to enlarge
        ((9, 14), (5, 30)),  # smaller in y
        ((4, 5), (97, 121)),  # pitch 32 or about 24
        ((1, 7), (6, 40)),
        ((7, 1), (40, 1)),
        ((1, 1), (3, 4)),
    ],
)
@pytest.mark.parametrize('kind', ['smooth', 'noise'])
def test_equal_to_dense(clusters, cells, size, align_corners, kind):
    if kind == 'smooth':
        logits = smooth(clusters, *cells)
    else:
        logits = torch.randn(
            clusters, *cells, generator=torch.Generator().manual_seed(1)
        )
    labels = winning_labels(logits, size, align_corners)
    check(labels, dense(logits, size, align_corners))


def test_by_hand():
    # One patch: cluster 0 falls from 1 to 0 along x, cluster 1 rises.
    logits = torch.tensor([[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2])
    labels = winning_labels(logits, (2, 5), True)
    # The third column is a tie.
    assert labels.tolist() == [[0, 0, 0, 1, 1]] * 2
    labels = winning_labels(logits.flip(0), (2, 5), True)
    assert labels.tolist() == [[1, 1, 0, 0, 0]] * 2


def test_a_tie_along_a_border():
    # Cluster 1 wins everywhere but in the first column, which is a tie.
    logits = torch.tensor([[[1.0, 0.0]] * 2, [[1.0, 1.0]] * 2])
    labels = winning_labels(logits, (2, 5), True)
    assert labels.tolist() == [[0, 1, 1, 1, 1]] * 2
    labels = winning_labels(logits.flip(0), (2, 5), True)
    assert labels.tolist() == [[0, 0, 0, 0, 0]] * 2


def test_a_winner_between_the_cells():
    # Cluster 2 wins nowhere at the corners but in the middle.
    logits = torch.tensor(
        [[[9.0, 0.0]] * 2, [[0.0, 9.0]] * 2, [[6.0, 6.0]] * 2]
    )
    labels = winning_labels(logits, (2, 5), True)
    assert labels.tolist() == [[0, 0, 2, 1, 1]] * 2


@pytest.mark.parametrize('align_corners', [True, False])
def test_ties_go_to_the_lowest_id(align_corners):
    assert not winning_labels(
        torch.full((300, 5, 7), 0.3), (37, 51), align_corners
    ).any()
    # Every cluster three times.
    logits = smooth(40, 9, 11)
    logits = torch.stack([logits, logits, logits], 1).flatten(0, 1)
    labels = winning_labels(logits, (61, 83), align_corners)
    assert (labels % 3 == 0).all()
    assert len(labels.unique()) > 5


def test_id_255_is_an_ordinary_cluster():
    logits = torch.zeros(300, 3, 4)
    logits[255] = 1
    assert (winning_labels(logits, (9, 16), False) == 255).all()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_interpolated_in_float32(dtype):
    logits = smooth(50, 13, 18).to(dtype)
    labels = winning_labels(logits, (97, 137), True)
    check(labels, dense(logits, (97, 137), True))


def test_float64():
    logits = smooth(50, 13, 18).double()
    # Differences that float32 does not know.
    logits[1::2] = logits[::2] + 1e-9
    labels = winning_labels(logits, (97, 137), True)
    assert (labels % 2 == 1).all()


def test_any_positions():
    logits = smooth(60, 9, 14)
    generator = torch.Generator().manual_seed(0)
    ys = torch.rand(40, generator=generator) * 8
    xs = torch.rand(31, generator=generator) * 13
    labels = winning_labels_at(logits, ys, xs)
    for i in range(0, 40, 3):
        for j in range(0, 31, 3):
            y, x = int(ys[i]), int(xs[j])
            b, a = ys[i] - y, xs[j] - x
            value = (1 - b) * (
                (1 - a) * logits[:, y, x] + a * logits[:, y, x + 1]
            ) + b * (
                (1 - a) * logits[:, y + 1, x] + a * logits[:, y + 1, x + 1]
            )
            assert value[labels[i, j]] > value.max() - 1e-5


def test_crop_flip_and_resize_are_positions():
    logits = smooth(60, 13, 18)
    full = winning_labels(logits, (97, 137), True)
    ys = pixel_cells(13, 97, True, length=41, start=7)
    xs = pixel_cells(18, 137, True, length=100, start=3, flip=True)
    labels = winning_labels_at(logits, ys, xs)
    assert torch.equal(labels, full[7:48, 3:103].flip(1))
    ys = pixel_cells(13, 97, True, size=200, mode='nearest')
    xs = pixel_cells(18, 137, True, size=50, mode='nearest')
    labels = winning_labels_at(logits, ys, xs)
    expected = F.interpolate(full[None, None].float(), (200, 50))[0, 0]
    assert torch.equal(labels, expected.long())


def test_a_part_of_a_tensor_and_negative_values():
    logits = smooth(60, 20, 30) - 100
    part = logits[10:40, 3:12, ::2]
    labels = winning_labels(part, (70, 110), False)
    check(labels, dense(part, (70, 110), False))


@pytest.mark.parametrize('limit', [40, 5000])
def test_strips_and_blocks_change_nothing(limit, monkeypatch):
    logits = smooth(60, 13, 18)
    expected = winning_labels(logits, (97, 137), True)
    limits = winning.Limits(limit, limit, limit)
    monkeypatch.setattr(winning, 'CPU_LIMITS', limits)
    assert torch.equal(winning_labels(logits, (97, 137), True), expected)
    check(expected, dense(logits, (97, 137), True))


def test_infinite_logits_forbid_a_cluster():
    logits = smooth(20, 9, 11)
    logits[3] = -torch.inf
    labels = winning_labels(logits, (65, 81), True)
    logits[3] = -1e6
    assert torch.equal(labels, winning_labels(logits, (65, 81), True))


def test_nan_does_not_crash():
    logits = smooth(20, 9, 11)
    logits[:, 2:5, 3] = torch.nan
    labels = winning_labels(logits, (65, 81), True)
    assert labels.min() >= 0 and labels.max() < 20
    logits[:] = torch.nan
    labels = winning_labels(logits, (65, 81), True)
    assert labels.min() >= 0 and labels.max() < 20


def test_wrong_input_is_refused():
    logits = smooth(20, 9, 11)
    with pytest.raises(TypeError, match='`logits` should be floating point'):
        winning_labels(logits.long(), (9, 11), True)
    with pytest.raises(ValueError, match='`logits` should have shape'):
        winning_labels(logits[None], (9, 11), True)
    with pytest.raises(ValueError, match=r'`ys` should be in \[0, 8\]'):
        winning_labels_at(logits, torch.tensor([8.5]), torch.tensor([1.0]))
    with pytest.raises(ValueError, match=r'`xs` should be in \[0, 10\]'):
        winning_labels_at(logits, torch.tensor([8.0]), torch.tensor([-1.0]))
    with pytest.raises(ValueError, match='`xs` should have shape'):
        winning_labels_at(logits, torch.tensor([8.0]), torch.zeros(0))


@pytest.mark.gpu
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_cuda_equals_cpu(dtype):
    logits = smooth(500, 40, 31).to(dtype)
    labels = winning_labels(logits.cuda(), (313, 241), True)
    assert labels.is_cuda
    check(labels.cpu(), dense(logits, (313, 241), True))
