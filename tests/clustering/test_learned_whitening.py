import numpy as np
import pytest
import scipy.linalg
import torch
from small_features import features

from fgsn_mmseg.clustering import learned_whitening
from fgsn_mmseg.clustering.pca import pca_whitening


def differing(count=300, channels=12, seed=1):
    """Pairs whose differences are large in some directions and shifted."""
    rows = features(count, channels)
    noise = features(count, channels, seed).numpy()
    return rows, (rows, rows + torch.from_numpy(noise) * 0.3)


@pytest.mark.parametrize('dim', [5, 12])
def test_against_scipy(dim):
    rows, (first, second) = differing()
    matrix, bias = learned_whitening(rows, (first, second), dim)
    total = np.cov(rows.double().numpy().T, bias=True)
    # One pair at a time; the mean difference stays in.
    within = np.zeros((12, 12))
    for one, two in zip(first.double().numpy(), second.double().numpy()):
        within += np.outer(one - two, one - two) / len(first)
    within += 0.02 * np.trace(within) / 12 * np.eye(12)
    values, vectors = scipy.linalg.eigh(total, within)
    expected = vectors[:, ::-1][:, :dim]
    sign = np.sign((matrix.numpy() * expected).sum(0))
    np.testing.assert_allclose(
        matrix.numpy(), expected * sign, rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(
        bias.numpy(),
        -rows.double().numpy().mean(0) @ matrix.double().numpy(),
        rtol=1e-4,
        atol=1e-4,
    )
    # The variance of the features along an axis is its ratio.
    white = (rows.double() @ matrix.double() + bias).numpy()
    np.testing.assert_allclose(white.var(0), values[::-1][:dim], rtol=1e-3)


def test_two_steps():
    """Whiten by the differences, then PCA: the words of the method."""
    rows, (first, second) = differing()
    matrix, bias = learned_whitening(rows, (first, second), 4)
    difference = (first - second).double().numpy()
    within = difference.T @ difference / len(difference)
    within += 0.02 * np.trace(within) / 12 * np.eye(12)
    whiten = np.linalg.inv(scipy.linalg.sqrtm(within))
    white = (rows.double().numpy() - rows.double().numpy().mean(0)) @ whiten
    _, _, axes = np.linalg.svd(white, full_matrices=False)
    expected = white @ axes[:4].T
    found = (rows @ matrix + bias).double().numpy()
    sign = np.sign((found * expected).sum(0))
    np.testing.assert_allclose(found, expected * sign, atol=1e-2)


def test_hand_computed():
    # Variances 4 (x) and 1 (y); differences of 4 in x, 0.5 in y. Second
    # moments 16 and 0.25, and a share of 8.125 * 0.08 = 0.65 added to each.
    rows = torch.tensor([[3.0, 3.0], [3.0, 1.0], [-1.0, 3.0], [-1.0, 1.0]])
    pairs = torch.zeros(2, 2), torch.tensor([[4.0, 0.5], [-4.0, 0.5]])
    matrix, bias = learned_whitening(rows, pairs, 2, 0.08)
    x, y = (16 + 0.65) ** -0.5, (0.25 + 0.65) ** -0.5
    # 1 / 0.9 against 4 / 16.65: y comes first.
    torch.testing.assert_close(matrix, torch.tensor([[0.0, x], [y, 0.0]]))
    torch.testing.assert_close(bias, torch.tensor([-2 * y, -x]))


def test_sides_may_be_exchanged():
    rows, (first, second) = differing()
    one = learned_whitening(rows, (first, second), 5)
    two = learned_whitening(rows, (second, first), 5)
    torch.testing.assert_close(one, two)


def test_in_blocks(monkeypatch):
    rows, pairs = differing()
    expected = learned_whitening(rows, pairs, 5)
    monkeypatch.setattr('fgsn_mmseg.clustering.pca.BLOCK', 7)
    torch.testing.assert_close(learned_whitening(rows, pairs, 5), expected)


def test_what_conditions_change_is_suppressed():
    """The direction of the largest variance differs in every pair."""
    generator = torch.Generator().manual_seed(0)
    place = torch.randn(500, 6, generator=generator)
    light = 10 * torch.randn(500, 2, generator=generator)
    first = torch.cat([place, light[:, :1]], 1)
    second = torch.cat([place, light[:, 1:]], 1)
    learned, _ = learned_whitening(first, (first, second), 1)
    plain, _ = pca_whitening(first, 1)
    assert plain[6].abs() > 0.99 * plain.norm()
    assert learned[6].abs() < 0.1 * learned.norm()


def test_fewer_pairs_than_channels_and_dead_channels():
    rows, (first, second) = differing()
    for part in (rows, first, second):
        part[:, [2, 5]] = 3.0
    matrix, bias = learned_whitening(rows, (first[:4], second[:4]), 12)
    assert matrix.isfinite().all() and bias.isfinite().all()
    assert matrix[[2, 5]].abs().max() < 1e-5 * matrix.abs().max()


@pytest.mark.parametrize(
    'pairs, expected',
    [
        ((torch.zeros(3, 12), torch.zeros(3, 12)), 'difference is 0.0'),
        ((torch.zeros(3, 12), torch.zeros(4, 12)), r'\(3, 12\) and \(4'),
        ((torch.zeros(0, 12), torch.zeros(0, 12)), 'N >= 1'),
        ((torch.zeros(3, 5), torch.ones(3, 5)), 'the 12 channels'),
        ((torch.full((3, 12), torch.nan), torch.ones(3, 12)), 'is nan'),
    ],
)
def test_pairs_that_cannot_be(pairs, expected):
    with pytest.raises(ValueError, match=expected):
        learned_whitening(features(), pairs, 5)


def test_regularization_has_to_be_positive():
    rows, pairs = differing()
    with pytest.raises(ValueError, match='`regularization` should be'):
        learned_whitening(rows, pairs, 5, 0)
