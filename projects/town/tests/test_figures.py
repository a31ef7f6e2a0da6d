"""Figures of a survey that was written by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fgsn_mmseg.evaluation import agreement_figures
from fgsn_mmseg.evaluation.survey import PairLabels, Survey
from town.study.figures import class_table, majority_classes, survey_figures


@pytest.fixture
def small():
    """Two images, two pairs, written by hand."""
    maps = {
        'r/x/0.png': np.array([[0, 0, 1], [2, 2, 1]], np.uint16),
        'r/y/0.png': np.array([[0, 300, 300]], np.uint16),
    }
    points = np.array([[0.0, 0.0], [2.0, 1.0]])
    pairs = [
        PairLabels(
            'r/x/0.png',
            f'r/{name}/0.png',
            points,
            points[:, ::-1].copy(),
            np.array([0, 1]),
            np.array(second),
            (2, 3),
            (1, 3),
        )
        for name, second in (('y', [0, 2]), ('z', [0, 1]))
    ]
    at_points, elsewhere = np.zeros((2, 301))
    at_points[:2], elsewhere[:3] = (1, 1), (1, 1, 2)
    return Survey(301, pairs, maps, at_points, elsewhere)


def test_figures_by_hand(small, tmp_path):
    """Classes: 0 sky (lower case by name), 1 road; 255 has none."""
    for name, classes in (
        ('x', [[0, 0, 1], [1, 0, 255]]),
        ('y', [[0, 1, 1]]),
    ):
        cv2.imwrite(str(tmp_path / f'{name}.png'), np.array(classes, np.uint8))
    table = class_table(
        small, lambda path: tmp_path / f'{path.split("/")[1]}.png', 2
    )
    assert table.shape == (301, 2)
    assert table[[0, 1, 2, 300]].tolist() == [[3, 0], [0, 1], [1, 1], [0, 2]]
    names = ['sky', 'road']
    majority = majority_classes(table, names)
    assert [majority[k] for k in (0, 1, 2, 3, 300)] == [
        *('sky', 'road', 'sky', 'nothing', 'road')
    ]
    figures = survey_figures(
        small, lambda p: p.img_path2[2], table, names, ('sky', 'road')
    )
    assert figures['groups']['y']['agreement'] == 0.5
    assert figures['groups']['z']['agreement'] == 1.0
    assert figures['groups']['all'] == {
        **agreement_figures([0, 1, 0, 1], [0, 2, 0, 1], 301),
        # No two points are far enough from each other.
        **{'match_bits_hard': 0.0, 'chance_hard': 0.0},
    }
    assert figures['purity'] == pytest.approx(7 / 8)
    assert figures['used_clusters'] == 4
    assert figures['stationary'] == 0.5
    # Clusters 0 and 2 are sky, 2 is not stationary; 1 and 300 are road.
    assert figures['moving'] == {'sky': [2, 1], 'road': [2, 1]}


def test_a_missing_class_map_is_named(small, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.png'):
        class_table(small, lambda path: tmp_path / 'none.png', 2)
