import math

import pytest
import torch
from naive_geometry import naive_matches
from test_correspondence_loss import CROP, MAP, random_pairs

from fgsn_mmseg.models import ConsistencyLoss
from fgsn_mmseg.models.losses import symmetric_divergence


def test_hand_computed():
    """(1/2, 1/2) and (3/4, 1/4): both divergences, and their mean."""
    one = torch.zeros(1, 2)
    two = torch.tensor([[math.log(3), 0.0]])
    there = 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
    back = 0.75 * math.log(3 / 2) + 0.25 * math.log(1 / 2)
    expected = pytest.approx((there + back) / 2)
    assert float(symmetric_divergence(one, two)) == expected
    assert float(symmetric_divergence(two, one)) == expected
    assert float(symmetric_divergence(two, two + 5)) == pytest.approx(0)


@pytest.mark.parametrize('counts', [(25,), (25, 7), (0, 9), (0,)])
def test_against_naive(counts):
    logits, logits2, points, points2, _, _ = random_pairs(3, counts)
    total = 0.0
    for b in range(len(counts)):
        matches, _ = naive_matches(
            points[b], points2[b], [CROP] * 2, [MAP] * 2, 'corners'
        )
        own = 0.0
        for (x, y), (x2, y2) in matches:
            p = logits[b][:, y, x].softmax(0).tolist()
            q = logits2[b][:, y2, x2].softmax(0).tolist()
            own += sum(a * math.log(a / c) for a, c in zip(p, q)) / 2
            own += sum(c * math.log(c / a) for a, c in zip(p, q)) / 2
        total += own / max(len(matches), 1)
    loss = ConsistencyLoss(loss_weight=2.0)(
        logits, logits2, points, points2, None, CROP
    )
    assert float(loss) == pytest.approx(2 * total / len(counts), rel=1e-4)


def test_gradients():
    """Of both images; none, but connected, without correspondences."""
    arguments = random_pairs(3, (20,))
    logits, logits2 = (one.requires_grad_() for one in arguments[:2])
    ConsistencyLoss()(logits, logits2, *arguments[2:]).backward()
    assert logits.grad.abs().sum() > 0 and logits2.grad.abs().sum() > 0
    # Steps against the gradient make the probabilities more alike.
    before = ConsistencyLoss()(logits, logits2, *arguments[2:])
    after = ConsistencyLoss()(
        logits - 0.5 * logits.grad, logits2, *arguments[2:]
    )
    assert after < before
    logits.grad = None
    none = [torch.zeros(0, 2)]
    ConsistencyLoss()(logits, logits2, none, none, None, CROP).backward()
    assert not logits.grad.any()
