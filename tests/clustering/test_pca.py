import numpy as np
import torch
from small_features import features

from fgsn_mmseg.clustering import (
    pca_whitening,
)


def test_against_svd():
    rows = features().numpy().astype(np.float64)
    matrix, bias = pca_whitening(torch.from_numpy(rows), 5)
    centred = rows - rows.mean(0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:5].T / singular[:5] * len(rows) ** 0.5
    found = rows @ matrix.numpy() + bias.numpy()
    sign = np.sign((found * expected).sum(0))
    np.testing.assert_allclose(found, expected * sign, atol=1e-3)


def test_against_eigh():
    rows = features().numpy().astype(np.float64)
    matrix, _ = pca_whitening(torch.from_numpy(rows), 12)
    covariance = np.cov(rows.T, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    expected = (vectors * values**-0.5)[:, ::-1]
    sign = np.sign((matrix.numpy() * expected).sum(0))
    np.testing.assert_allclose(
        matrix.numpy(), expected * sign, rtol=1e-4, atol=1e-5
    )


def test_result_is_white():
    rows = features()
    matrix, bias = pca_whitening(rows, 6)
    white = (rows @ matrix + bias).double()
    torch.testing.assert_close(
        white.T @ white / len(white),
        torch.eye(6, dtype=torch.float64),
        atol=1e-3,
        rtol=0,
    )


def test_hand_computed():
    # Variances 4 (x) and 1 (y) about the mean (1, 2).
    rows = torch.tensor([[3.0, 3.0], [3.0, 1.0], [-1.0, 3.0], [-1.0, 1.0]])
    matrix, bias = pca_whitening(rows, 2)
    torch.testing.assert_close(matrix, torch.tensor([[0.5, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(bias, torch.tensor([-0.5, -2.0]))


def test_dead_channels_stay_out():
    rows = features()
    rows[:, [2, 5, 7]] = 3.0
    matrix, bias = pca_whitening(rows, 12)
    assert matrix.isfinite().all() and bias.isfinite().all()
    assert matrix[[2, 5, 7]].abs().max() < 1e-5
    assert (matrix.abs().sum(0) > 1e-4).tolist() == [True] * 9 + [False] * 3


def test_fewer_features_than_dimensions():
    rows = features(count=5)
    matrix, bias = pca_whitening(rows, 12)
    assert matrix.isfinite().all()
    # Five points span four directions.
    assert int((matrix.abs().sum(0) > 1e-6).sum()) == 4
    white = rows @ matrix + bias
    assert white.abs().max() < 3


def test_features_without_variance():
    matrix, bias = pca_whitening(torch.full((9, 4), 2.5), 3)
    assert not matrix.any() and not bias.any()
