import math

import pytest
import torch
from mmseg.registry import MODELS
from naive_geometry import naive_matches

from fgsn_mmseg.geometry import GRIDS
from fgsn_mmseg.models import CorrespondenceLoss

CROP, MAP = (97, 129), (13, 17)  # not square


def random_pairs(num_clusters, counts, seed=0):
    """Logits, labels and points, some of which lie outside."""
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.rand(shape, generator=generator)

    batch = len(counts)
    logits = 4 * rand(batch, num_clusters, *MAP) - 2
    logits2 = 4 * rand(batch, num_clusters, *MAP) - 2
    labels = torch.randint(num_clusters, (batch, *MAP), generator=generator)
    size = torch.tensor([CROP[1], CROP[0]])
    points = [rand(count, 2) * (size + 30) - 15 for count in counts]
    points2 = [rand(count, 2) * (size + 30) - 15 for count in counts]
    return logits, logits2, points, points2, labels, CROP


def cross_entropy(scores, label):
    return math.log(sum(math.exp(s) for s in scores)) - scores[label]


def naive(logits, logits2, points, points2, labels, crop, grid):
    """Loops over pairs and correspondences; returns the loss and the count."""
    total, used = 0.0, 0
    for b in range(len(labels)):
        first, second = [], []
        matches, _ = naive_matches(
            points[b], points2[b], [crop] * 2, [MAP] * 2, grid
        )
        for (x, y), (x2, y2) in matches:
            label = int(labels[b, y, x])
            if logits[b] is not None:
                scores = logits[b][:, y, x].tolist()
                first.append(cross_entropy(scores, label))
            if logits2[b] is not None:
                scores = logits2[b][:, y2, x2].tolist()
                second.append(cross_entropy(scores, label))
            used += 1
        for values in (first, second):
            if values:
                total += sum(values) / len(values)
    return total / len(labels), used


@pytest.mark.parametrize('grid', GRIDS)
@pytest.mark.parametrize('num_clusters', [3, 300])
@pytest.mark.parametrize('counts', [(25,), (1,), (25, 7), (0, 9), (30, 1, 0)])
def test_against_naive(grid, num_clusters, counts):
    arguments = random_pairs(num_clusters, counts)
    expected, used = naive(*arguments, grid)
    assert used < sum(counts) or sum(counts) < 2  # some were dropped
    loss = CorrespondenceLoss(grid)(*arguments)
    assert loss.ndim == 0
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_hand_computed():
    # Two clusters, a map of 1 x 2 cells over 1 x 9 pixels ('corners').
    logits = torch.tensor([[[[0.0, math.log(3)]], [[0.0, 0.0]]]])
    logits2 = torch.tensor([[[[math.log(4), 0.0]], [[0.0, 0.0]]]])
    labels = torch.tensor([[[1, 0]]])
    points = [torch.tensor([[0.0, 0.0], [8.0, 0.0], [3.0, 0.0]])]
    points2 = [torch.tensor([[8.0, 0.0], [0.0, 0.0], [1.0, 0.0]])]
    # Reference: label 1 at 1/2, label 0 at 3/4, label 1 at 1/2.
    # Target: label 1 at 1/2, label 0 at 4/5, label 1 at 1/5.
    expected = (
        math.log(2) + math.log(4 / 3) + math.log(2)
        + math.log(2) + math.log(5 / 4) + math.log(5)
    ) / 3  # fmt: skip
    loss = CorrespondenceLoss()(
        logits, logits2, points, points2, labels, (1, 9)
    )
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_label_is_taken_in_the_reference_for_both_images():
    logits = torch.zeros(1, 3, *MAP)
    logits2 = torch.zeros(1, 3, *MAP)
    labels = torch.zeros(1, *MAP, dtype=torch.int64)
    labels[0, 2, 5] = 2  # y, x of the reference's cell
    logits2[0, 2, 11, 3] = 30.0  # the target's cell, sure of label 2
    points = [torch.tensor([[40.0, 16.0]])]
    points2 = [torch.tensor([[24.0, 88.0]])]
    loss = CorrespondenceLoss()(logits, logits2, points, points2, labels, CROP)
    assert loss.item() == pytest.approx(math.log(3), rel=1e-6)


@pytest.mark.parametrize('batch', [1, 2])
def test_no_correspondences_at_all(batch):
    arguments = random_pairs(4, (0,) * batch)
    for maps in arguments[:2]:
        maps.requires_grad_()
    loss = CorrespondenceLoss()(*arguments)
    assert loss.item() == 0
    loss.backward()  # connected, for DistributedDataParallel
    assert not arguments[0].grad.any() and not arguments[1].grad.any()


def test_all_correspondences_outside():
    arguments = list(random_pairs(4, (3, 3)))
    arguments[2] = [points - 500 for points in arguments[2]]
    assert CorrespondenceLoss()(*arguments).item() == 0


def test_empty_pair_counts_as_zero_in_the_mean():
    logits, logits2, points, points2, labels, _ = random_pairs(5, (12, 0))
    loss = CorrespondenceLoss()
    both = loss(logits, logits2, points, points2, labels, CROP)
    alone = loss(
        logits[:1], logits2[:1], points[:1], points2[:1], labels[:1], CROP
    )
    assert both.item() == pytest.approx(alone.item() / 2, rel=1e-6)


def test_mean_over_pairs_not_over_points():
    arguments = random_pairs(5, (40, 2), seed=3)
    loss = CorrespondenceLoss()
    single = [
        loss(*(part[i : i + 1] for part in arguments[:5]), CROP).item()
        for i in range(2)
    ]
    assert loss(*arguments).item() == pytest.approx(sum(single) / 2, rel=1e-6)


@pytest.mark.parametrize('grid', GRIDS)
def test_sides_that_were_not_run(grid):
    logits, logits2, points, points2, labels, _ = random_pairs(6, (20, 20))
    one = [logits[0], None], [None, logits2[1]]
    expected, _ = naive(*one, points, points2, labels, CROP, grid)
    loss = CorrespondenceLoss(grid)(*one, points, points2, labels, CROP)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_no_side_at_all():
    _, _, points, points2, labels, _ = random_pairs(6, (20,))
    with pytest.raises(ValueError, match='at least one image'):
        CorrespondenceLoss()([None], [None], points, points2, labels, CROP)


def test_label_255_is_a_cluster_and_negative_ones_are_ignored():
    logits, logits2, points, points2, labels, _ = random_pairs(300, (9,))
    labels[:] = 255
    expected, used = naive(
        logits, logits2, points, points2, labels, CROP, 'corners'
    )
    assert used > 0 and expected > 0
    loss = CorrespondenceLoss()
    found = loss(logits, logits2, points, points2, labels, CROP)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    labels[:] = -1
    found = loss(logits, logits2, points, points2, labels, CROP)
    assert found.item() == 0


def test_labels_at_another_resolution():
    logits, logits2, points, points2, _, _ = random_pairs(5, (30,))
    fine = torch.randint(5, (1, *CROP))  # a label for each pixel
    points = [one.round() for one in points]
    loss = CorrespondenceLoss()(logits, logits2, points, points2, fine, CROP)
    first, second = [], []
    matches, indices = naive_matches(
        points[0], points2[0], [CROP] * 2, [MAP] * 2, 'corners'
    )
    for ((a, b), (c, d)), index in zip(matches, indices):
        x, y = map(int, points[0][index])
        if not (0 <= x < 129 and 0 <= y < 97):
            continue
        label = int(fine[0, y, x])
        first.append(cross_entropy(logits[0, :, b, a].tolist(), label))
        second.append(cross_entropy(logits2[0, :, d, c].tolist(), label))
    expected = sum(first) / len(first) + sum(second) / len(second)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_reaches_only_the_cells():
    logits, logits2, _, _, labels, _ = random_pairs(4, (0,))
    logits.requires_grad_()
    points = [torch.tensor([[40.0, 16.0]])]
    CorrespondenceLoss()(
        logits, logits2, points, [torch.zeros(1, 2)], labels, CROP
    ).backward()
    assert logits.grad[0].abs().sum(0).nonzero().tolist() == [[2, 5]]


def test_half_precision():
    arguments = list(random_pairs(300, (25, 0)))
    expected = CorrespondenceLoss()(*arguments).item()
    for index in (0, 1):
        arguments[index] = arguments[index].bfloat16()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = CorrespondenceLoss()(*arguments)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected, rel=1e-2)


def test_registered():
    loss = MODELS.build(dict(type='CorrespondenceLoss', grid='authors'))
    assert isinstance(loss, CorrespondenceLoss) and loss.grid == 'authors'
    with pytest.raises(ValueError, match='`grid` should be one of'):
        CorrespondenceLoss(grid='middle')
