import numpy as np
import pytest
import torch

from fgsn_mmseg.clustering import balanced_labels, column_offsets, sinkhorn


def scores(count=90, clusters=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, clusters, generator=generator)


def labels_of(rows, epsilon, iterations, spare=0.0):
    offsets = column_offsets(rows, epsilon, iterations, spare)
    return balanced_labels(rows, epsilon, offsets)


@pytest.mark.parametrize('spare', [0.0, 0.2])
def test_marginals(spare):
    plan = sinkhorn(scores(), 0.5, iterations=200, spare=spare)
    assert plan.shape == (90, 7) and (plan >= 0).all()
    expected = torch.full((7,), (1 - spare) * 90 / 7)
    torch.testing.assert_close(plan.sum(0), expected, rtol=1e-3, atol=0)
    assert (plan.sum(1) <= 1 + 1e-6).all()
    rest = 1 - plan.sum(1)
    assert float(rest.sum()) == pytest.approx(spare * 90, abs=0.01)


def test_rows_are_exact_after_one_iteration():
    plan = sinkhorn(scores(), 0.5, iterations=1)
    torch.testing.assert_close(plan.sum(1), torch.ones(90))


@pytest.mark.parametrize('spare', [0.0, 0.3])
def test_against_naive(spare):
    """Scaling of columns and rows as written in the papers."""
    rows = scores(20, 3).double().numpy()
    matrix = np.exp(rows / 0.7)
    wanted = np.full(3, (1 - spare) * 20 / 3)
    if spare:
        matrix = np.concatenate([matrix, np.ones((20, 1))], 1)
        wanted = np.append(wanted, spare * 20)
    for _ in range(5):
        for k in range(len(wanted)):
            matrix[:, k] *= wanted[k] / matrix[:, k].sum()
        for m in range(20):
            matrix[m] /= matrix[m].sum()
    found = sinkhorn(torch.from_numpy(rows), 0.7, 5, spare)
    np.testing.assert_allclose(found.numpy(), matrix[:, :3], rtol=1e-4)


def test_hand_computed():
    # Both rows prefer the first column; the second one less so.
    plan = sinkhorn(torch.tensor([[2.0, 0.0], [1.0, 0.0]]), 0.1, 100)
    labels = plan.argmax(1)
    assert labels.tolist() == [0, 1]
    torch.testing.assert_close(plan.sum(0), torch.ones(2), rtol=0.01, atol=0)


def test_small_epsilon_overflows_nowhere():
    plan = sinkhorn(100 * scores(), 1e-3, 3, 0.1)
    assert plan.isfinite().all()


@pytest.mark.parametrize('spare', [0.0, 0.3])
def test_offsets_go_on_from_earlier_ones(spare):
    """Twice two iterations are four; afterwards nothing moves."""
    rows = scores()
    once = column_offsets(rows, 0.5, 4, spare)
    half = column_offsets(rows, 0.5, 2, spare)
    kept = half.clone()
    twice = column_offsets(rows, 0.5, 2, spare, half)
    torch.testing.assert_close(twice, once)
    assert torch.equal(half, kept)
    settled = column_offsets(rows, 0.5, 200, spare)
    again = column_offsets(rows, 0.5, 1, spare, settled)
    torch.testing.assert_close(again, settled, rtol=1e-4, atol=1e-4)


def test_labels_without_offsets_are_the_best_scores():
    rows = scores()
    offsets = torch.tensor([0.0] * 7 + [-torch.inf])
    assert torch.equal(balanced_labels(rows, 0.1, offsets), rows.argmax(1))


def test_labels_are_used_alike():
    """One cluster wins everywhere; balanced, all are used."""
    rows = scores(600, 6) * 0.1
    rows[:, 2] += 1
    assert (rows.argmax(1) == 2).float().mean() > 0.95
    labels = labels_of(rows, 0.02, 50)
    counts = torch.bincount(labels, minlength=6)
    assert counts.min() > 70 and counts.max() < 130


def test_spare_column_takes_rows_without_a_preference():
    clear = 5 * torch.eye(4).repeat(10, 1)
    rows = torch.cat([clear, torch.zeros(10, 4)])
    labels = labels_of(rows, 0.5, 100, 0.2)
    assert (labels[:40] == torch.arange(4).repeat(10)).all()
    assert (labels[40:] == -1).all()


@pytest.mark.parametrize('arguments', [(0, 3, 0), (0.1, 0, 0), (0.1, 3, 1)])
def test_arguments_that_cannot_be(arguments):
    with pytest.raises(ValueError, match='should be'):
        sinkhorn(scores(), *arguments)
