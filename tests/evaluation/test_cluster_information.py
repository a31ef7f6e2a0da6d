import math

import numpy as np
import pytest
from scipy.stats import entropy

from fgsn_mmseg.evaluation import (
    cluster_class_counts,
    contingency_table,
    majority_vote_iou,
    normalized_mutual_information,
    purity,
)

# Three clusters, two classes.
TABLE = np.array([[6, 2], [1, 3], [0, 4]])


def random_maps(num_clusters, num_classes=5, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, num_clusters, (17, 31))
    classes = rng.integers(0, num_classes, (17, 31))
    classes[rng.random((17, 31)) < 0.2] = 255
    return labels, classes


def test_counts_against_a_naive_loop():
    labels, classes = random_maps(300)
    expected = np.zeros((300, 5), int)
    for label, kind in zip(labels.ravel(), classes.ravel()):
        if kind != 255 and label >= 0:
            expected[label, kind] += 1
    table = contingency_table(*cluster_class_counts(labels, classes, 5), 5)
    assert table.tolist() == expected[: len(table)].tolist()
    assert table.sum() == expected.sum()
    assert table[255].sum() > 0 or (labels != 255).all()


def test_cluster_255_is_ordinary_and_class_255_is_ignored():
    labels = np.array([[255, 255, 3]])
    classes = np.array([[1, 255, 0]], np.uint8)
    codes, counts = cluster_class_counts(labels, classes, 2)
    assert codes.tolist() == [6, 511]
    assert counts.tolist() == [1, 1]


def test_images_add_up():
    first, second = random_maps(40, seed=1), random_maps(40, seed=2)
    parts = [cluster_class_counts(*maps, 5) for maps in (first, second)]
    table = contingency_table(
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] for p in parts]),
        5,
    )
    whole = cluster_class_counts(
        np.concatenate([first[0], second[0]]),
        np.concatenate([first[1], second[1]]),
        5,
    )
    assert (table == contingency_table(*whole, 5)).all()


def test_nmi_by_hand_and_by_scipy():
    # Two equal clusters that are the two equal classes: all is known.
    assert normalized_mutual_information([[5, 0], [0, 5]]) == 1
    # Four equal clusters over two equal classes: 1 bit of (2 + 1) / 2.
    table = [[5, 0], [5, 0], [0, 5], [0, 5]]
    assert normalized_mutual_information(table) == pytest.approx(2 / 3)
    joint = TABLE / TABLE.sum()
    information = sum(
        joint[k, c]
        * math.log(joint[k, c] / (joint[k].sum() * joint[:, c].sum()))
        for k in range(3)
        for c in range(2)
        if joint[k, c] > 0
    )
    mean = (entropy(joint.sum(1)) + entropy(joint.sum(0))) / 2
    assert normalized_mutual_information(TABLE) == pytest.approx(
        information / mean
    )


def test_nmi_of_independent_counts_is_zero():
    table = np.outer([10, 20, 30], [1, 2])
    assert normalized_mutual_information(table) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize('table', [[[0, 0]], [[3, 4]], [[3], [4]], [[7]]])
def test_nmi_where_nothing_can_be_told(table):
    assert normalized_mutual_information(table) == 0


def test_purity_by_hand():
    assert purity(TABLE) == (6 + 3 + 4) / 16
    assert purity(np.zeros((3, 2))) == 0


def test_majority_vote_iou_by_hand():
    # Cluster 0 votes class 0; clusters 1 and 2 vote class 1.
    # Class 0: right 6, said 8, true 7. Class 1: right 7, said 8, true 9.
    assert majority_vote_iou(TABLE).tolist() == [6 / 9, 7 / 10]


def test_majority_vote_iou_of_missing_and_losing_classes():
    iou = majority_vote_iou([[4, 1, 0], [0, 0, 0]])
    assert iou[0] == 4 / 5
    assert iou[1] == 0  # there, but no cluster's majority
    assert math.isnan(iou[2])  # nowhere


def test_majority_vote_iou_against_a_naive_loop():
    labels, classes = random_maps(12)
    keep = (classes != 255) & (labels >= 0)
    votes = {
        k: np.bincount(classes[keep & (labels == k)], minlength=5).argmax()
        for k in set(labels[keep].tolist())
    }
    voted = np.array([votes.get(k, -1) for k in labels.ravel()])
    voted = voted.reshape(labels.shape)
    table = contingency_table(*cluster_class_counts(labels, classes, 5), 5)
    for kind, iou in enumerate(majority_vote_iou(table)):
        union = keep & ((voted == kind) | (classes == kind))
        both = keep & (voted == kind) & (classes == kind)
        assert iou == pytest.approx(both.sum() / union.sum())


def test_ten_thousand_clusters_and_no_pixels():
    labels, classes = random_maps(10_000, 19)
    codes, counts = cluster_class_counts(labels, classes, 19)
    assert len(codes) <= labels.size
    assert contingency_table(codes, counts, 19).shape[0] <= 10_000
    empty = contingency_table([], [], 19)
    assert empty.shape == (1, 19)
    assert empty.sum() == 0


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match='`label_map` should be'):
        cluster_class_counts(np.zeros((2, 3)), np.zeros((3, 2)), 5)
    with pytest.raises(ValueError, match='`class_map` should hold'):
        cluster_class_counts(np.zeros((1, 1)), np.full((1, 1), 33), 19)
