"""One training step against the words of the method, written out slowly.

What is compared: every loss, the total and the gradient of every parameter.
The slow side uses mmseg's plain ``EncoderDecoder`` and loops.
"""

import pytest
import torch
from slow_training_step import plain_copy, slow_losses
from tiny_fgsn import build_model, pair_batch, teach


def sides_that_were_run(model, batch, call):
    """Which images of a batch entered the student's backbone with gradient.

    Returns:
        What `call` returned, [[reference, target], ...] and the number of
        images that entered the backbone at all.
    """
    inputs, samples = batch
    seen, count = [], 0

    def note(module, args):
        nonlocal count
        count += len(args[0])
        if torch.is_grad_enabled():
            seen.extend(args[0])

    handle = model.backbone.register_forward_pre_hook(note)
    result = call()
    handle.remove()
    sides = [
        [
            any(torch.equal(inputs[key][b], image) for image in seen)
            for key in ('img', 'img2')
        ]
        for b in range(len(samples))
    ]
    assert sum(map(sum, sides)) == len(seen)
    return result, sides, count


def compare(options, counts=(15, 6), seed=0):
    """Fast and slow step; returns which sides carried the gradient."""
    model = teach(build_model(**options), seed=seed)
    batch = pair_batch(counts)
    state = {
        **model.state_dict(),
        **{
            name[len('teacher.') :]: value
            for name, value in model.state_dict().items()
            if name.startswith('teacher.')
        },
    }
    teacher = plain_copy(model, state, **options).eval()
    slow = plain_copy(model, **options).train()
    if options.get('norm_eval', True):
        for module in slow.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()

    losses, sides, _ = sides_that_were_run(
        model, batch, lambda: model.loss(*batch)
    )
    total, _ = model.parse_losses(losses)
    total.backward()

    expected = slow_losses(
        slow, teacher, model.codebook, batch, sides, options
    )
    weights = {
        name: options.get(f'w_{name}', default)
        for name, default in (('seg', 1), ('corr', 1), ('feat', 0))
    }
    slow_total = 0.0
    for head, prefix, aux in (('main', 'decode', 1), ('aux', 'aux', 0.4)):
        for name, weight in weights.items():
            key = f'{prefix}.loss_{name}'
            assert (key in losses) == (weight > 0)
            if weight:
                value = weight * aux * expected[head][name]
                assert float(losses[key]) == pytest.approx(
                    float(value), rel=1e-4, abs=1e-6
                )
                slow_total = slow_total + value
    assert float(total) == pytest.approx(float(slow_total), rel=1e-4)
    slow_total.backward()
    wanted = dict(slow.named_parameters())
    compared = 0
    for name, parameter in model.named_parameters():
        if name.startswith('teacher.'):
            assert parameter.grad is None and not parameter.requires_grad
            continue
        reference = wanted[name].grad
        if parameter.grad is None or reference is None:
            assert not any(
                grad is not None and grad.any()
                for grad in (parameter.grad, reference)
            )
            continue
        scale = float(reference.abs().max())
        torch.testing.assert_close(
            parameter.grad, reference, rtol=1e-3, atol=1e-3 * scale + 1e-7
        )
        compared += 1
    assert compared > 20
    return sides


@pytest.mark.parametrize(
    'fraction, sides',
    [
        (1.0, [[True, False]] * 2),
        (0.0, [[False, True]] * 2),
        (None, [[True, True]] * 2),
    ],
)
@pytest.mark.parametrize('align_corners', [True, False])
def test_each_side(fraction, sides, align_corners):
    options = dict(fraction_reference=fraction, align_corners=align_corners)
    assert compare(options) == sides


def test_sides_drawn_for_each_pair():
    found = [compare(dict(), seed=seed) for seed in range(3)]
    for sides in found:
        assert all(sum(pair) == 1 for pair in sides)
    assert len({str(sides) for sides in found}) > 1


@pytest.mark.parametrize('counts', [(12,), (0, 9), (1,)])
def test_other_batches(counts):
    compare(dict(fraction_reference=None), counts)


def test_target_of_a_pair_without_correspondences():
    """Nothing to learn from; still every parameter takes part."""
    model = teach(build_model(fraction_reference=0.0))
    total, _ = model.parse_losses(model.loss(*pair_batch((0,))))
    total.backward()
    assert total == 0
    for name, parameter in model.named_parameters():
        if not name.startswith('teacher.'):
            assert parameter.grad is not None, name
            assert not parameter.grad.any()


@pytest.mark.parametrize('fraction', [1.0, 0.0, None])
def test_feature_loss(fraction):
    compare(dict(fraction_reference=fraction, w_feat=0.7))


@pytest.mark.parametrize(
    'weights', [dict(w_corr=0.5, w_seg=0.25), dict(w_seg=0.0)]
)
def test_weights(weights):
    compare(dict(fraction_reference=None, **weights))


def test_dense_loss_alone_runs_the_references_only():
    for fraction in (0.5, None):
        options = dict(w_corr=0.0, fraction_reference=fraction)
        assert compare(options) == [[True, False]] * 2


@pytest.mark.parametrize('w_feat', [0.0, 0.5])
def test_features_before_relu(w_feat):
    compare(
        dict(
            feature_layer='bottleneck.bn',
            fraction_reference=None,
            w_feat=w_feat,
        )
    )


def test_batch_statistics():
    compare(dict(norm_eval=False, fraction_reference=None))


def test_many_clusters():
    compare(dict(num_clusters=300, fraction_reference=None))


def test_number_of_images_run():
    batch = pair_batch()
    for options, expected in (
        (dict(fraction_reference=0.5), 2),
        (dict(fraction_reference=None), 4),
        (dict(fraction_reference=0.5, w_feat=1.0), 4),
        (dict(fraction_reference=None, w_corr=0.0), 2),
    ):
        model = teach(build_model(**options))
        _, _, count = sides_that_were_run(
            model, batch, lambda model=model: model.loss(*batch)
        )
        assert count == expected
