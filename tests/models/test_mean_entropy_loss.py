import math

import pytest
import torch

from fgsn_mmseg.models import MeanEntropyLoss


def one_hot(ids, clusters=4):
    """Logits (1, K, 1, n) of a network that is sure."""
    ids = torch.tensor(ids)
    return 100 * torch.nn.functional.one_hot(ids, clusters).T[None, :, None]


def test_hand_computed():
    """Shares 1/2, 1/4, 1/4, 0 over both images: 1.5 of 2 bits."""
    loss = MeanEntropyLoss(loss_weight=2.0)
    found = loss(one_hot([0, 0]).float(), one_hot([1, 2]).float())
    assert float(found) == pytest.approx(2 * 0.5 * math.log(2))


def test_extremes():
    loss = MeanEntropyLoss()
    even = one_hot([0, 1, 2, 3]).float()
    assert float(loss(even, even)) == pytest.approx(0, abs=1e-5)
    # Not sure anywhere is as even as sure of each somewhere.
    blank = torch.zeros(1, 4, 2, 3)
    assert float(loss(blank, blank)) == pytest.approx(0, abs=1e-5)
    alike = one_hot([2, 2]).float()
    assert float(loss(alike, alike)) == pytest.approx(math.log(4), rel=1e-4)


def test_images_that_are_not_run():
    loss = MeanEntropyLoss()
    maps = one_hot([0, 1]).float()
    alone = loss([maps[0], None], [None, None], [], [], None, (1, 1))
    assert float(alone) == pytest.approx(math.log(2), rel=1e-4)


def test_gradient_makes_it_more_even():
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 3, 4)
    logits[:, 1] += 2
    logits.requires_grad_()
    loss = MeanEntropyLoss()
    before = loss(logits, [None, None])
    before.backward()
    assert logits.grad.isfinite().all()
    assert loss(logits - 5 * logits.grad, [None, None]) < before
    # Also where a label is nowhere at all.
    sure = one_hot([0, 0]).float().requires_grad_()
    loss(sure, [None]).backward()
    assert sure.grad.isfinite().all()
