"""Options that make training faster change nothing but rounding."""

from __future__ import annotations

import pytest
import torch
from tiny_fgsn import build_model, pair_batch, teach

CHANNELS_LAST = torch.channels_last


def losses_and_gradients(state, **kwargs):
    model = build_model(fraction_reference=None, **kwargs)
    model.load_state_dict(state)
    losses = model.train().loss(*pair_batch())
    sum(losses.values()).backward()
    gradients = {
        name: parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    return model, losses, gradients


def test_channels_last():
    state = teach(build_model()).state_dict()
    _, expected, expected_gradients = losses_and_gradients(state)
    model, losses, gradients = losses_and_gradients(state, channels_last=True)
    for network in (model, model.teacher):
        weight = network.backbone.layer4[0].conv2.weight
        assert weight.is_contiguous(memory_format=CHANNELS_LAST)
        assert not weight.is_contiguous()
    images = pair_batch()[0]['img']
    maps = model.extract_feat(images)[-1]
    assert maps.is_contiguous(memory_format=CHANNELS_LAST)
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, rtol=1e-5, atol=1e-6)
    assert gradients.keys() == expected_gradients.keys()
    for name, value in expected_gradients.items():
        torch.testing.assert_close(
            gradients[name], value, rtol=1e-3, atol=1e-4
        )


def test_channels_last_is_not_in_the_checkpoint():
    model = teach(build_model(channels_last=True))
    other = build_model(seed=1)
    other.load_state_dict(model.state_dict())
    for name, tensor in other.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])
        assert tensor.is_contiguous()
    again = build_model(seed=1, channels_last=True)
    again.load_state_dict(other.state_dict())
    assert again.backbone.layer4[0].conv2.weight.is_contiguous(
        memory_format=CHANNELS_LAST
    )


def test_teacher_in_bf16():
    plain = teach(build_model())
    model = teach(build_model(teacher_dtype='bf16'))
    images = pair_batch()[0]['img']
    expected, got = plain.teacher(images), model.teacher(images)
    assert got.dtype == torch.float32
    assert not torch.equal(got, expected)
    error = (got - expected).norm() / expected.norm()
    assert error < 0.03
    agreement = model.label_maps(images) == plain.label_maps(images)
    assert agreement.float().mean() > 0.9
    # The student computes as before.
    assert torch.equal(
        model.eval().student_maps(images).features,
        plain.eval().student_maps(images).features,
    )


def test_teacher_in_bf16_keeps_its_weights():
    model = teach(build_model(teacher_dtype='bf16'))
    state = model.state_dict()
    plain = build_model(seed=1)
    plain.load_state_dict(state)  # strict
    for name, tensor in state.items():
        assert tensor.dtype != torch.bfloat16, name
    other = build_model(seed=1, teacher_dtype='bf16')
    other.load_state_dict(state)
    images = pair_batch()[0]['img']
    assert torch.equal(other.teacher(images), model.teacher(images))
    assert plain.teacher.dtype is None


def test_unknown_precision():
    with pytest.raises(ValueError, match=r'`teacher_dtype`.*int8'):
        build_model(teacher_dtype='int8')
