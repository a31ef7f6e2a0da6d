from __future__ import annotations

import numpy as np
import pytest

from fgsn_mmseg.localization import LabelLikelihood, count_label_pairs
from fgsn_mmseg.localization.label_scores import (
    as_labels,
    equality_scores,
    rarity_scores,
)


def test_counts_are_those_made_by_hand():
    labels = np.array([0, 0, 2, 1, 65535, 2], np.uint16)
    labels2 = np.array([0, 1, 2, 1, 1, -1])
    np.testing.assert_array_equal(
        count_label_pairs(labels, labels2, 3),
        [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
    )


def test_table_equals_the_formula_by_hand():
    right = np.array([[6, 2], [1, 3]])
    wrong = np.array([[2, 2], [2, 2]])
    table = LabelLikelihood.from_counts(right, wrong, prior=4).table
    # Shares with one more each: rows (12 + 1, 8 + 1) / 22, columns (11 + 1,
    # 9 + 1) / 22.
    rows, columns = [13 / 22, 9 / 22], [12 / 22, 10 / 22]
    for a in range(2):
        for b in range(2):
            apart = 4 * rows[a] * columns[b]
            p_right = (right[a, b] + apart) / (12 + 4)
            p_wrong = (wrong[a, b] + apart) / (8 + 4)
            assert table[a, b] == pytest.approx(np.log(p_right / p_wrong))


def test_a_pair_never_seen_says_little():
    num = 300
    counts = np.eye(num) * 10
    counts[0, 0] = counts[-1, -1] = 0
    table = LabelLikelihood.from_counts(counts, np.ones((num, num))).table
    # Seen wrong matches of label 0 speak against it, but it stays finite.
    assert np.isfinite(table).all() and table[5, 5] > 3
    assert -6 < table[0, 0] < 0


def test_scores_skip_pixels_without_label(tmp_path):
    table = LabelLikelihood([[1.0, -2.0], [-3.0, 4.0]])
    table.save(tmp_path / 'table.npz')
    loaded = LabelLikelihood.load(tmp_path / 'table.npz')
    scores = loaded.scores([0, 0, 1, -1, 65535], [0, 1, 0, 0, 1])
    np.testing.assert_array_equal(scores, [1, -2, -3, 0, 0])
    assert [p.name for p in tmp_path.iterdir()] == ['table.npz']


def test_equality_scores():
    np.testing.assert_array_equal(
        equality_scores([3, 4, -1, 255], [3, 5, -1, 255]), [1, 0, 0, 1]
    )


def test_rarity_scores_by_hand():
    # Points: 0 thrice, 1 once.
    scores = rarity_scores([0, 0, 1, 1, -1], [0, 0, 1, 0, 2], agreement=0.9)
    assert scores[0] == pytest.approx(np.log(0.9 / 0.75 + 0.1))
    assert scores[2] == pytest.approx(np.log(0.9 / 0.25 + 0.1))
    assert scores[3] == pytest.approx(np.log(0.1))
    assert scores[4] == 0


def test_equal_labels_never_speak_against_a_match():
    scores = rarity_scores([0] * 9 + [1], [0] * 10, agreement=0.3)
    assert scores[:9] == pytest.approx(0, abs=1e-12)
    assert scores[9] == pytest.approx(np.log(0.7))
    common = rarity_scores([0] * 9 + [1], [0] * 9 + [1], agreement=0.3)
    assert 0 < common[0] < common[9]


def test_labels_on_disk_and_inside():
    np.testing.assert_array_equal(
        as_labels(np.array([0, 255, 65535], np.uint16), 'x'), [0, 255, -1]
    )
    with pytest.raises(ValueError, match='should be integers'):
        as_labels([0.5], 'x')


@pytest.mark.parametrize(
    'call, text',
    [
        (lambda: LabelLikelihood(np.ones((2, 3))), r'shape \(K, K\)'),
        (lambda: LabelLikelihood([[np.nan]]), 'finite'),
        (
            lambda: LabelLikelihood.from_counts(np.eye(2), np.zeros((2, 2))),
            '`wrong` should hold counts of at least one match',
        ),
        (
            lambda: LabelLikelihood.from_counts(np.eye(2), -np.eye(2)),
            'smallest count of -1',
        ),
        (
            lambda: LabelLikelihood.from_counts(np.eye(2), np.eye(3)),
            'one shape',
        ),
        (
            lambda: LabelLikelihood.from_counts(np.eye(2), np.eye(2), 0),
            '`prior` should be above 0',
        ),
        (
            lambda: LabelLikelihood(np.eye(2)).scores([2], [0]),
            '`labels2d` should be below 2, but got 2',
        ),
        (lambda: rarity_scores([0], [0], 1.0), '`agreement` should be'),
        (lambda: count_label_pairs([0], [7], 5), 'below 5, but got 7'),
    ],
)
def test_bad_input_is_one_line(call, text):
    with pytest.raises(ValueError, match=text) as caught:
        call()
    assert '\n' not in str(caught.value)


def test_another_file_is_refused(tmp_path):
    np.savez(tmp_path / 'other.npz', votes=np.ones(3))
    with pytest.raises(ValueError, match='should be a table of label'):
        LabelLikelihood.load(tmp_path / 'other.npz')
    with pytest.raises(FileNotFoundError):
        LabelLikelihood.load(tmp_path / 'none.npz')
