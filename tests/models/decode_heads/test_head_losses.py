import math

import pytest
import torch
from mmseg.registry import MODELS

from fgsn_mmseg.models.decode_heads.head_losses import dense_losses
from fgsn_mmseg.models.pairs import Pairs


def dense_loss(logits, labels, grid, **kwargs):
    """Cross entropy; `logits` has None where a reference is not run."""
    run = torch.tensor([[one is not None, one is None] for one in logits])
    channels = next((len(x) for x in logits if x is not None), 3)
    rest = torch.full((channels, *labels.shape[1:]), 7.0)
    rows = torch.stack([rest if one is None else one for one in logits])
    pairs = Pairs([], [], (8, 8), run, labels)
    losses = [MODELS.build(dict(type='CrossEntropyLoss'))]
    return dense_losses(losses, rows, pairs, grid, **kwargs)['loss_seg']


def naive(logits, labels):
    total = 0.0
    for one, label_map in zip(logits, labels):
        if one is None:
            continue
        height, width = label_map.shape
        for y in range(height):
            for x in range(width):
                scores = one[:, y, x].tolist()
                total += (
                    math.log(sum(map(math.exp, scores)))
                    - scores[int(label_map[y, x])]
                ) / (height * width)
    return total / len(labels)


@pytest.mark.parametrize('num_clusters', [2, 300])
@pytest.mark.parametrize('batch', [1, 2])
def test_against_naive(num_clusters, batch):
    torch.manual_seed(0)
    logits = torch.randn(batch, num_clusters, 4, 7)
    labels = torch.randint(num_clusters, (batch, 4, 7))
    loss = dense_loss(logits, labels, 'corners')
    assert loss.item() == pytest.approx(naive(logits, labels), rel=1e-5)


def test_references_that_were_not_run_count_as_zero():
    torch.manual_seed(0)
    logits = [None, torch.randn(5, 4, 7), None]
    labels = torch.randint(5, (3, 4, 7))
    loss = dense_loss(logits, labels, 'corners')
    assert loss.item() == pytest.approx(naive(logits, labels), rel=1e-5)
    assert dense_loss([None], labels[:1], 'corners').item() == 0


def test_hand_computed():
    logits = torch.tensor([[[[0.0, math.log(3)]], [[0.0, 0.0]]]])
    loss = dense_loss(logits, torch.tensor([[[1, 0]]]), 'corners')
    expected = (math.log(2) + math.log(4 / 3)) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_255_is_an_ordinary_cluster():
    logits = torch.zeros(1, 300, 3, 5)
    labels = torch.full((1, 3, 5), 255)
    loss = dense_loss(logits, labels, 'corners')
    assert loss.item() == pytest.approx(math.log(300), rel=1e-6)


def test_labels_at_another_resolution():
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 4, 6)
    labels = torch.randint(3, (1, 2, 3))
    fine = labels.repeat_interleave(2, 1).repeat_interleave(2, 2)
    loss = dense_loss(logits, labels, 'centers')
    assert loss.item() == pytest.approx(naive(logits, fine), rel=1e-5)
