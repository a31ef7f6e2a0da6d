from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from fgsn_mmseg.geometry import pixel_cells
from fgsn_mmseg.inference import (
    winner_confidence,
    winner_confidence_at,
    winning_labels,
)


def make_logits(clusters, scale, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(1, clusters, 4, 5, generator=generator) * scale
    return F.interpolate(coarse, (9, 14), mode='bilinear')[0].to(dtype)


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('scale', [0.01, 1, 10, 300])
@pytest.mark.parametrize('clusters', [2, 30, 300])
def test_equal_to_dense(clusters, scale, align_corners):
    logits = make_logits(clusters, scale)
    size = (50, 83)
    found = winner_confidence(logits, size, align_corners)
    assert torch.equal(
        found.labels, winning_labels(logits, size, align_corners)
    )
    values = F.interpolate(
        logits[None].double(),
        size,
        mode='bilinear',
        align_corners=align_corners,
    )[0]
    best = values.softmax(0).topk(2, 0).values
    # Rounding of logits of this size in float32.
    bound = 2e-6 + 3e-7 * scale * 4
    assert (found.winner - best[0]).abs().max() < bound
    assert (found.runner_up - best[1]).abs().max() < bound
    assert found.winner.dtype == found.runner_up.dtype == torch.float32


def test_the_tolerance_holds():
    # Cluster 0 is far above 299 equal ones, which add up nevertheless.
    logits = torch.zeros(300, 9, 14)
    logits[0] = 8
    exact = winner_confidence(logits, (50, 83), True, 1e-4)
    expected = torch.tensor([8.0] + [0.0] * 299).softmax(0)
    assert (exact.winner - expected[0]).abs().max() < 1e-6
    assert (exact.runner_up - expected[1]).abs().max() < 1e-6
    rough = winner_confidence(logits, (50, 83), True, 0.2)
    assert (rough.winner == 1).all() and (rough.runner_up == 0).all()
    assert (rough.winner - expected[0]).abs().max() < 0.2


def test_nan_does_not_crash():
    logits = make_logits(30, 3)
    logits[:, 2:6, 3:7] = torch.nan
    winner_confidence(logits, (50, 83), False)
    logits[:] = torch.nan
    winner_confidence(logits, (50, 83), False)


def test_one_cluster_is_sure():
    found = winner_confidence(torch.randn(1, 4, 5), (9, 11), False)
    assert (found.labels == 0).all() and (found.winner == 1).all()
    assert (found.runner_up == 0).all()


def test_a_tie_is_shared():
    found = winner_confidence(torch.zeros(4, 3, 5), (9, 11), False)
    assert (found.labels == 0).all()
    assert (found.winner == 0.25).all() and (found.runner_up == 0.25).all()


def test_bfloat16_and_positions():
    logits = make_logits(30, 3, torch.bfloat16)
    ys = pixel_cells(9, 50, True, size=20, flip=True)
    xs = pixel_cells(14, 83, True)
    found = winner_confidence_at(logits, ys, xs)
    exact = winner_confidence_at(logits.double(), ys, xs)
    assert (found.winner - exact.winner).abs().max() < 1e-5
    assert found.labels.shape == (20, 83)


def test_wrong_tolerance_is_refused():
    with pytest.raises(ValueError, match='`tolerance` should be in'):
        winner_confidence(torch.randn(3, 4, 5), (9, 11), False, 0)
