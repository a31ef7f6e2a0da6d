import math

import pytest
import torch
from mmseg.registry import MODELS

from fgsn_mmseg.geometry import GRIDS, to_cells
from fgsn_mmseg.models import FeatureHingeLoss
from fgsn_mmseg.models.losses import feature_hinge, sample_negatives

CROP, MAP = (97, 129), (13, 17)


def random_pairs(counts, channels=6, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.rand(shape, generator=generator)

    features = [rand(len(counts), channels, *MAP) * 2 - 1 for _ in range(2)]
    size = torch.tensor([CROP[1], CROP[0]])
    points = [
        [rand(count, 2) * (size + 30) - 15 for count in counts]
        for _ in range(2)
    ]
    return *features, *points, CROP


def cosine(a, b):
    a, b = a.tolist(), b.tolist()
    norms = math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b)) / norms


def kept_features(one, two, points, points2, grid):
    """Features of the correspondences inside both maps, by a loop."""
    cells, inside = to_cells(points, CROP, MAP, grid)
    cells2, inside2 = to_cells(points2, CROP, MAP, grid)
    found = []
    for i in range(len(points)):
        if inside[i] and inside2[i]:
            (x, y), (x2, y2) = cells[i].tolist(), cells2[i].tolist()
            found.append((one[:, y, x], two[:, y2, x2], points[i]))
    return found


@pytest.mark.parametrize('grid', GRIDS)
@pytest.mark.parametrize('counts', [(1,), (20,), (20, 5), (9, 0)])
def test_matches_against_naive(grid, counts):
    arguments = random_pairs(counts)
    expected = 0.0
    for pair in zip(*arguments[:4]):
        matches = kept_features(*pair, grid)
        hinges = [max(0.8 - cosine(a, b), 0) for a, b, _ in matches]
        if hinges:
            expected += sum(hinges) / len(hinges)
    loss = FeatureHingeLoss(grid=grid)(*arguments)
    assert loss.ndim == 0
    assert loss.item() == pytest.approx(expected / len(counts), rel=1e-5)


@pytest.mark.parametrize('num_negatives', [1, 3])
def test_negatives_against_naive(num_negatives):
    """So far apart that all candidates are taken: nothing is drawn."""
    features, features2, points, points2, _ = random_pairs((4, 4), seed=2)
    corners = [[4.0, 4.0], [120.0, 4.0], [4.0, 90.0], [120.0, 90.0]]
    points = [torch.tensor(corners[: num_negatives + 1])] * 2
    points2 = [one[: num_negatives + 1].clamp(0, 96) for one in points2]
    module = FeatureHingeLoss(
        match_margin=0.9,
        mismatch_margin=-0.1,
        num_negatives=num_negatives,
        min_distance=80.0,
    )
    expected = 0.0
    for pair in zip(features, features2, points, points2):
        matches = kept_features(*pair, 'corners')
        assert len(matches) == num_negatives + 1
        total = 0.0
        for i, (a, b, _) in enumerate(matches):
            total += max(0.9 - cosine(a, b), 0)
            for j, (_, other, _) in enumerate(matches):
                if i != j:
                    wrong = max(cosine(a, other) + 0.1, 0)
                    total += wrong / num_negatives
        expected += total / ((num_negatives + 1) * len(matches)) / 2
    loss = module(features, features2, points, points2, CROP)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_hand_computed():
    # Angles of 60 and 90 degrees between matches.
    features = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    features2 = torch.tensor([[1.0, math.sqrt(3)], [1.0, 0.0]])
    loss = feature_hinge(features, features2)
    assert loss.item() == pytest.approx((0.3 + 0.8) / 2, rel=1e-6)


def test_hand_computed_with_negatives():
    features = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    features2 = torch.tensor([[1.0, math.sqrt(3)], [1.0, 0.0]])
    # <f0, g1> = 1 and <f1, g0> = sqrt(3) / 2, each of n = 4 negatives.
    negatives = torch.tensor([0, 1]), torch.tensor([1, 0])
    loss = feature_hinge(features, features2, negatives, num_negatives=4)
    wrong = (1 - 0.2) / 4 + (math.sqrt(3) / 2 - 0.2) / 4
    assert loss.item() == pytest.approx((1.1 + wrong) / (5 * 2), rel=1e-6)


def test_like_features_cost_nothing():
    features = torch.randn(5, 3)
    assert feature_hinge(features, 7 * features).item() == 0


@pytest.mark.parametrize('num_negatives', [0, 2])
def test_no_correspondences(num_negatives):
    arguments = random_pairs((0, 0))
    for maps in arguments[:2]:
        maps.requires_grad_()
    loss = FeatureHingeLoss(num_negatives=num_negatives)(*arguments)
    assert loss.item() == 0
    loss.backward()
    assert not arguments[0].grad.any()


def test_dead_features_give_no_nan():
    features = torch.zeros(3, 4, requires_grad=True)
    loss = feature_hinge(features, torch.zeros(3, 4))
    loss.backward()
    assert loss.item() == pytest.approx(0.8)
    assert features.grad.isfinite().all()


class TestSampleNegatives:
    def test_far_in_the_reference_and_each_once(self):
        points = torch.rand(40, 2) * 700
        first, second = sample_negatives(
            points, 6, 200.0, torch.Generator().manual_seed(0)
        )
        drawn = list(zip(first.tolist(), second.tolist()))
        assert len(set(drawn)) == len(drawn)
        for i in range(40):
            far = {
                j
                for j in range(40)
                if math.dist(points[i].tolist(), points[j].tolist()) >= 200
            }
            mine = {b for a, b in drawn if a == i}
            assert mine <= far and len(mine) == min(6, len(far))

    def test_at_the_very_distance(self):
        points = torch.tensor([[0.0, 0.0], [120.0, 160.0], [119.0, 160.0]])
        first, second = sample_negatives(points, 2, 200.0)
        assert sorted(zip(first.tolist(), second.tolist())) == [(0, 1), (1, 0)]

    def test_every_candidate_has_a_chance(self):
        points = torch.tensor([[0.0, 0.0]] + [[300.0, 0.0]] * 5)
        generator = torch.Generator().manual_seed(0)
        found = set()
        for _ in range(60):
            first, second = sample_negatives(points, 1, 200.0, generator)
            found.update(second[first == 0].tolist())
        assert found == {1, 2, 3, 4, 5}

    def test_follows_the_generator_alone(self):
        points = torch.rand(30, 2) * 700
        draws = []
        for _ in range(2):
            torch.rand(3)
            generator = torch.Generator().manual_seed(4)
            draws.append(sample_negatives(points, 2, 200.0, generator)[1])
        assert torch.equal(*draws)

    @pytest.mark.parametrize('count', [0, 1])
    def test_nobody_to_choose_from(self, count):
        first, second = sample_negatives(torch.zeros(count, 2), 3, 200.0)
        assert len(first) == len(second) == 0


def test_registered():
    loss = MODELS.build(dict(type='FeatureHingeLoss'))
    assert (loss.match_margin, loss.mismatch_margin) == (0.8, 0.2)
    assert (loss.num_negatives, loss.grid) == (0, 'corners')
    assert loss.min_distance == 200
    with pytest.raises(ValueError, match='`num_negatives` should'):
        FeatureHingeLoss(num_negatives=-1)
