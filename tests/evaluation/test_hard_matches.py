import numpy as np
import pytest

from fgsn_mmseg.evaluation import (
    HardMatches,
    agreement_figures,
    hard_figures,
    hard_matches,
    match_bits,
)

SIZE, SIZE2 = (300, 500), (400, 350)


def world(count=14, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1, (count, 2)) * SIZE[::-1]
    points2 = rng.uniform(0, 1, (count, 2)) * SIZE2[::-1]
    labels = rng.integers(0, 4, count)
    labels2 = np.where(rng.random(count) < 0.6, labels, (labels + 1) % 4)
    return labels, labels2, points, points2


def plausible(points, height, i, j):
    """Whether the match of one may be taken for that of the other."""
    near = abs(points[i][1] - points[j][1]) < 0.05 * height
    apart = np.hypot(*(points[i] - points[j])) >= 32
    return near and apart


def test_against_naive():
    labels, labels2, points, points2 = world()
    agreement, chances = [], []
    for i in range(14):
        equal = []
        for j in range(14):
            if plausible(points2, SIZE2[0], i, j):
                equal.append(labels[i] == labels2[j])
            if plausible(points, SIZE[0], i, j):
                equal.append(labels2[i] == labels[j])
        if equal:
            agreement.append(labels[i] == labels2[i])
            chances.append(np.mean(equal))
    assert 5 < len(chances) < 14  # some points have no wrong match
    found = hard_matches(labels, labels2, points, points2, SIZE, SIZE2)
    assert found.matches == len(chances)
    assert found.agreeing == sum(agreement)
    assert found.chance == pytest.approx(sum(chances))
    figures = hard_figures([found])
    assert figures['chance_hard'] == pytest.approx(np.mean(chances))
    assert figures['match_bits_hard'] == pytest.approx(
        match_bits(np.mean(agreement), np.mean(chances))
    )


def test_exchanged_images_give_the_same():
    labels, labels2, points, points2 = world()
    one = hard_matches(labels, labels2, points, points2, SIZE, SIZE2)
    two = hard_matches(labels2, labels, points2, points, SIZE2, SIZE)
    assert one == pytest.approx(two)


def photos(count=400, shift=0.07, seed=0):
    """Points of pairs of photos whose heights differ somewhat."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(20):
        points = rng.uniform(0, 1, (count, 2))
        moved = points + rng.normal(0, shift, (count, 2))
        inside = ((moved > 0) & (moved < 1)).all(1)
        points, moved = points[inside], moved[inside]
        pairs.append((points * SIZE[::-1], moved * SIZE2[::-1]))
    return pairs


def figures_of(pairs, label):
    """Both kinds of figures of a function of relative places."""
    labels = [
        [label(points / size[::-1]) for points, size in zip(pair, sizes)]
        for pair, sizes in zip(pairs, [(SIZE, SIZE2)] * len(pairs))
    ]
    hard = [
        hard_matches(*both, *pair, SIZE, SIZE2)
        for both, pair in zip(labels, pairs)
    ]
    pooled = [np.concatenate(side) for side in zip(*labels)]
    return {**agreement_figures(*pooled, 20), **hard_figures(hard)}


def test_bands_of_image_rows_score_near_zero():
    bands = figures_of(
        photos(), lambda places: (places[:, 1] * 20).astype(int)
    )
    columns = figures_of(
        photos(), lambda places: (places[:, 0] * 20).astype(int)
    )
    assert bands['match_bits'] > 0.25
    assert bands['match_bits_hard'] < 0.02
    # Columns are as fine and as stable, and tell points of a row apart.
    assert columns['match_bits'] == pytest.approx(bands['match_bits'], abs=0.1)
    assert columns['match_bits_hard'] > 0.25


def test_things_score_alike():
    """Labels that have nothing to do with the place lose nothing."""
    rng = np.random.default_rng(3)
    pairs = photos()
    labels = [rng.integers(0, 20, len(points)) for points, _ in pairs]
    hard = [
        hard_matches(one, one, *pair, SIZE, SIZE2)
        for one, pair in zip(labels, pairs)
    ]
    pooled = np.concatenate(labels)
    plain = agreement_figures(pooled, pooled, 20)['match_bits']
    assert hard_figures(hard)['match_bits_hard'] == pytest.approx(
        plain, abs=0.05
    )


def test_many_points_are_thinned_out():
    rng = np.random.default_rng(4)
    points = rng.uniform(0, 1, (5000, 2)) * SIZE[::-1]
    labels = rng.integers(0, 4, 5000)
    many = hard_matches(labels, labels, points, points, SIZE, SIZE)
    assert many.matches == many.agreeing == 1000
    assert many.chance / 1000 == pytest.approx(0.25, abs=0.02)


def test_nothing_and_little():
    empty = np.zeros((0, 2))
    none = hard_matches([], [], empty, empty, SIZE, SIZE2)
    one = hard_matches([3], [3], [[1, 1]], [[1, 1]], SIZE, SIZE2)
    assert none == one == HardMatches(0, 0, 0.0)
    assert set(hard_figures([none, one]).values()) == {0}
    assert set(hard_figures([]).values()) == {0}


def test_chance_of_zero_gives_no_infinity():
    figures = hard_figures([HardMatches(8, 8, 0.0)])
    assert figures == {'match_bits_hard': 3.0, 'chance_hard': 0.0}


def test_points_that_do_not_fit():
    with pytest.raises(ValueError, match=r'shape \(2, 2\), but got \(3, 2\)'):
        hard_matches(
            [0, 1], [0, 1], np.zeros((3, 2)), np.zeros((2, 2)), SIZE, SIZE2
        )
