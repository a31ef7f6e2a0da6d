import math
from collections import Counter

import numpy as np
import pytest
import torch

from fgsn_mmseg.evaluation import (
    agreement_figures,
    chance_agreement,
    label_agreement,
    label_usage,
    match_bits,
    mutual_information,
)

# Shares of the first image: 1/4, 2/4, 1/4; of the second: 0, 3/4, 1/4.
LABELS = [0, 1, 1, 2]
LABELS2 = [1, 1, 1, 2]


def naive_mutual_information(labels, labels2):
    total = len(labels)
    first, second = Counter(labels), Counter(labels2)
    return sum(
        (both / total) * math.log2(both * total / (first[a] * second[b]))
        for (a, b), both in Counter(zip(labels, labels2)).items()
    )


def test_agreement_and_chance_by_hand():
    assert label_agreement(LABELS, LABELS2) == 0.75
    assert chance_agreement(LABELS, LABELS2, 3) == 7 / 16
    assert chance_agreement(LABELS, LABELS2, 5) == 7 / 16


def test_tensors_are_taken():
    labels, labels2 = torch.tensor(LABELS), torch.tensor(LABELS2)
    assert label_agreement(labels, labels2) == 0.75
    assert chance_agreement(labels, labels2, 3) == 7 / 16
    assert mutual_information(labels, labels2, 3) == mutual_information(
        LABELS, LABELS2, 3
    )


def test_chance_is_what_shuffled_pairs_agree():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 400, p=[0.6, 0.2, 0.1, 0.1])
    labels2 = rng.choice(4, 400, p=[0.5, 0.3, 0.1, 0.1])
    shuffled = [
        label_agreement(labels, rng.permutation(labels2)) for _ in range(500)
    ]
    assert np.mean(shuffled) == pytest.approx(
        chance_agreement(labels, labels2, 4), abs=0.003
    )


def test_match_bits_by_hand():
    expected = 0.75 * math.log2(0.75 / 0.25) + 0.25 * math.log2(0.25 / 0.75)
    assert expected == pytest.approx(0.5 * math.log2(3))
    assert match_bits(0.75, 0.25) == pytest.approx(expected)


@pytest.mark.parametrize(
    'agreement, chance, expected',
    [
        (0.0, 0.0, 0.0),
        (0.2, 0.2, 0.0),
        (0.2, 0.3, 0.0),
        (0.0, 1.0, 0.0),
        (1.0, 1.0, 0.0),
        (1.0, 0.25, 2.0),
        (1.0, 0.5, 1.0),
        (0.5, 0.0, math.inf),
        (1.0, 0.0, math.inf),
    ],
)
def test_match_bits_limits(agreement, chance, expected):
    assert match_bits(agreement, chance) == expected


def test_match_bits_is_never_negative_or_nan():
    for agreement in np.linspace(0, 1, 41):
        for chance in np.linspace(0, 1, 41):
            assert match_bits(agreement, chance) >= 0
    assert match_bits(np.nextafter(0.3, 1), 0.3) >= 0


@pytest.mark.parametrize('value', [-0.1, 1.1, math.nan])
def test_match_bits_refuses_what_is_no_share(value):
    with pytest.raises(ValueError, match='`agreement` should be'):
        match_bits(value, 0.5)
    with pytest.raises(ValueError, match='`chance` should be'):
        match_bits(0.5, value)


def test_mutual_information_against_a_naive_loop():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 6, 300)
    labels2 = np.where(rng.random(300) < 0.7, labels, rng.integers(0, 6, 300))
    shuffled = np.random.default_rng(5).permutation(labels2)
    expected = naive_mutual_information(
        labels.tolist(), labels2.tolist()
    ) - naive_mutual_information(labels.tolist(), shuffled.tolist())
    assert mutual_information(labels, labels2, 6, seed=5) == pytest.approx(
        expected
    )
    assert expected > 0.5


def test_mutual_information_rewards_renaming_but_match_bits_does_not():
    labels = np.arange(4000) % 4
    renamed = (labels + 1) % 4
    assert mutual_information(labels, renamed, 4) == pytest.approx(2, abs=0.02)
    assert agreement_figures(labels, renamed, 4)['match_bits'] == 0


def test_mutual_information_of_independent_labels_is_near_zero():
    rng = np.random.default_rng(2)
    labels, labels2 = rng.integers(0, 100, (2, 5000))
    # As counted it is above 0.9 bits, for nothing.
    assert naive_mutual_information(labels.tolist(), labels2.tolist()) > 0.9
    assert abs(mutual_information(labels, labels2, 100)) < 0.05


def test_many_clusters_need_no_dense_table():
    labels = np.random.default_rng(3).integers(0, 10_000, 20_000)
    figures = agreement_figures(labels, labels, 10_000)
    assert figures['agreement'] == 1
    assert figures['match_bits'] == pytest.approx(
        -math.log2(figures['chance'])
    )
    assert figures['used_clusters'] == len(set(labels.tolist()))
    assert figures['mutual_information'] > 1


def test_shuffle_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()
    first = mutual_information(LABELS, LABELS2, 3, seed=7)
    assert first == mutual_information(LABELS, LABELS2, 3, seed=7)
    assert (np.random.get_state()[1] == before).all()


def test_one_label_everywhere_is_worth_nothing():
    labels = np.full(7, 2)
    figures = agreement_figures(labels, labels, 3)
    assert figures == {
        'match_bits': 0,
        'agreement': 1,
        'chance': 1,
        'mutual_information': 0,
        'used_clusters': 1,
        'used_clusters_tenth': 1,
        'entropy': 0,
    }
    # What mmengine's save_best='auto' selects by: no dead network wins it.
    assert next(iter(figures)) == 'match_bits'


def test_no_and_one_correspondence():
    assert set(agreement_figures([], [], 5).values()) == {0}
    one = agreement_figures([255], [255], 300)
    assert (one['agreement'], one['chance'], one['match_bits']) == (1, 1, 0)


def test_used_clusters_counts_both_images():
    assert agreement_figures([0, 0], [1, 299], 300)['used_clusters'] == 3


def test_usage_by_hand():
    # Of 4 labels an equal share is 1/4, a tenth of it 1/40: one of 40 labels
    # is just enough, one of 42 is not.
    labels, labels2 = [0] * 10 + [1] * 10, [0] * 10 + [2] * 9 + [3]
    usage = label_usage(labels, labels2, 4)
    assert usage['used_clusters'] == usage['used_clusters_tenth'] == 4
    shares = np.array([20, 10, 9, 1]) / 40
    assert usage['entropy'] == pytest.approx(-(shares @ np.log2(shares)))
    usage = label_usage([*labels, 0], [*labels2, 0], 4)
    assert (usage['used_clusters'], usage['used_clusters_tenth']) == (4, 3)
    assert label_usage([0, 1], [2, 3], 4)['entropy'] == 2
    assert set(label_usage([], [], 4).values()) == {0}


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match='one shape'):
        label_agreement([0, 1], [0])
    with pytest.raises(ValueError, match='num_clusters=2'):
        chance_agreement([0, 2], [0, 1], 2)
    with pytest.raises(ValueError, match='-1'):
        mutual_information([0, -1], [0, 1], 2)
