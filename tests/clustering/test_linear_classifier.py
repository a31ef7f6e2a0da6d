import numpy as np
import pytest
import scipy.optimize
import torch

from fgsn_mmseg.clustering import fit_linear_classifier
from fgsn_mmseg.clustering.pca import pca_whitening


def places(num_clusters, count, channels=24, seed=0):
    """Labels and inputs around as many places, channels of odd sizes."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(num_clusters, channels)) * 8
    labels = rng.integers(0, num_clusters, count)
    rows = centres[labels] + rng.normal(size=(count, channels))
    rows = rows * rng.uniform(0.01, 100, channels) + 50
    return torch.from_numpy(rows).float(), torch.from_numpy(labels)


def share_of_right(classifier, inputs, labels):
    weight, bias = classifier
    return float(
        ((inputs @ weight.T + bias).argmax(1) == labels).float().mean()
    )


@pytest.mark.parametrize('num_clusters', [2, 20, 100])
def test_separable_labels_are_reproduced(num_clusters):
    inputs, labels = places(num_clusters, 6000)
    classifier = fit_linear_classifier(
        inputs[:4000], labels[:4000], num_clusters
    )
    assert classifier[0].shape == (num_clusters, 24)
    assert classifier[1].shape == (num_clusters,)
    assert classifier[0].dtype == torch.float32
    assert share_of_right(classifier, inputs[:4000], labels[:4000]) > 0.99
    assert share_of_right(classifier, inputs[4000:], labels[4000:]) > 0.99


def test_against_scipy():
    """The minimum of the same function, found in double precision."""
    inputs, labels = places(3, 200, channels=4)
    inputs = inputs + 600 * torch.randn(
        200, 4, generator=torch.Generator().manual_seed(0)
    )
    weight, bias = fit_linear_classifier(
        inputs, labels, 3, steps=1000, weight_decay=0.01, flatness=1e-9
    )
    matrix, offset = pca_whitening(inputs, 4)
    white = (inputs @ matrix + offset).double().numpy()

    def loss(flat):
        solution = flat.reshape(3, 5)
        logits = white @ solution[:, :4].T + solution[:, 4]
        logits -= logits.max(1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        entropy = -logs[np.arange(200), labels.numpy()].mean()
        return entropy + 0.005 * (solution[:, :4] ** 2).sum()

    best = scipy.optimize.minimize(loss, np.zeros(15)).x.reshape(3, 5)
    expected = white @ best[:, :4].T + best[:, 4]
    found = (inputs @ weight.T + bias).numpy()
    # A constant over the labels changes nothing.
    np.testing.assert_allclose(
        found - found.mean(1, keepdims=True),
        expected - expected.mean(1, keepdims=True),
        atol=0.01,
    )


def test_directions_without_spread_get_small_weights():
    inputs, labels = places(5, 2000)
    inputs = inputs / inputs.std(0)
    inputs[:, 0] = 1e-3 * labels + 1e-4 * inputs[:, 0]  # tells all, faintly
    flat, _ = fit_linear_classifier(inputs, labels, 5)
    sharp, _ = fit_linear_classifier(inputs, labels, 5, flatness=1e-9)
    assert flat[:, 0].abs().max() < 1 < sharp[:, 0].abs().max()


def test_same_seed_same_classifier():
    inputs, labels = places(5, 3000)
    one = fit_linear_classifier(inputs, labels, 5, seed=3, max_rows=500)
    two = fit_linear_classifier(inputs, labels, 5, seed=3, max_rows=500)
    other = fit_linear_classifier(inputs, labels, 5, seed=4, max_rows=500)
    assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
    assert not torch.equal(one[0], other[0])
    assert share_of_right(one, inputs, labels) > 0.99
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    fit_linear_classifier(inputs, labels, 5, max_rows=500)
    assert torch.equal(torch.rand(1), expected)


def test_many_labels_are_told_apart_better_than_by_their_means():
    """Clusters of one cloud, twelve features each, as at K = 1000."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(6000, 24, generator=generator)
    centres = torch.randn(500, 24, generator=generator)
    labels = torch.cdist(inputs, centres).argmin(1)
    start = fit_linear_classifier(inputs, labels, 500, steps=0)
    fitted = fit_linear_classifier(inputs, labels, 500)
    before = share_of_right(start, inputs, labels)
    after = share_of_right(fitted, inputs, labels)
    assert after > 0.7 and 1 - after < 0.75 * (1 - before)


def test_labels_without_inputs_and_dead_channels():
    inputs, labels = places(6, 2000)
    inputs[:, 3] = 7.0
    kept = labels != 4
    weight, bias = fit_linear_classifier(inputs[kept], labels[kept], 6)
    assert weight.isfinite().all() and bias.isfinite().all()
    assert not ((inputs @ weight.T + bias).argmax(1)[kept] == 4).any()


def test_inside_no_grad():
    inputs, labels = places(3, 100)
    with torch.no_grad():
        weight, bias = fit_linear_classifier(inputs, labels, 3)
    assert not weight.requires_grad and not bias.requires_grad


@pytest.mark.parametrize(
    'inputs, labels, expected',
    [
        (torch.zeros(3, 2), torch.zeros(4), r'\(3, 2\) and \(4,\)'),
        (torch.zeros(0, 2), torch.zeros(0), 'M >= 1'),
        (torch.full((3, 2), torch.nan), torch.zeros(3), 'finite'),
    ],
)
def test_inputs_that_cannot_be(inputs, labels, expected):
    with pytest.raises(ValueError, match=expected):
        fit_linear_classifier(inputs, labels, 2)
