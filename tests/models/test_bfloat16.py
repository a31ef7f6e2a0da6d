"""Training and prediction under autocast, as AmpOptimWrapper runs them."""

from __future__ import annotations

import pytest
import torch
from tiny_fgsn import CROP, build_model, pair_batch, teach


def autocast(enabled):
    return torch.autocast('cpu', torch.bfloat16, enabled=enabled)


@pytest.mark.parametrize('w_feat', [0.0, 1.0])
def test_losses_are_close(w_feat):
    model = teach(build_model(num_clusters=6, w_feat=w_feat))
    # The teacher's labels would differ here and there.
    labels = model.label_maps(pair_batch()[0]['img'])
    model.label_maps = lambda images: labels
    losses = []
    for enabled in (False, True):
        torch.manual_seed(0)
        with autocast(enabled):
            losses.append(model.loss(*pair_batch()))
    exact, rough = losses
    assert set(exact) == set(rough)
    for name, loss in exact.items():
        assert rough[name].dtype == torch.float32
        assert abs(rough[name] - loss) < 0.05 * loss + 0.01, name
    sum(rough.values()).backward()
    gradient = model.decode_head.conv_seg.weight.grad
    assert gradient.dtype == torch.float32
    assert gradient.isfinite().all() and gradient.abs().max() > 0


def test_labels_mostly_agree():
    model = teach(build_model(num_clusters=6))
    images = pair_batch()[0]['img']
    exact = model.label_maps(images)
    with autocast(True):
        rough = model.label_maps(images)
    assert rough.dtype == torch.int64
    assert (exact == rough).float().mean() > 0.9


def test_prediction():
    model = teach(build_model(num_clusters=6)).eval()
    images = torch.randn(1, 3, *CROP)
    with torch.no_grad():
        exact = model.predict(images)[0].pred_sem_seg.data
        with autocast(True):
            assert model.student_maps(images).logits.dtype == torch.bfloat16
            rough = model.predict(images)[0].pred_sem_seg.data
    assert rough.dtype == torch.int64
    assert (exact == rough).float().mean() > 0.9
