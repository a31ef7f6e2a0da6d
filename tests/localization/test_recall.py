from __future__ import annotations

import numpy as np
import pytest

from fgsn_mmseg.localization.recall import pose_basin, pose_recall


def _pose(x):
    return np.eye(3), np.array([-x, 0.0, 0.0])


def test_recall_by_hand():
    truth = {name: _pose(0.0) for name in 'abcde'}
    poses = {'a': _pose(0.1), 'b': _pose(0.3), 'c': _pose(4), 'd': _pose(9)}
    recall = pose_recall(poses, truth)
    assert (recall.num_queries, recall.num_found) == (5, 4)
    assert recall.shares == (0.2, 0.4, 0.6)
    assert recall.median_metres == pytest.approx(4)
    assert recall.lines()[1] == 'within 0.25 m and 2 deg: 20.0%'


def test_the_angle_counts_too():
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    recall = pose_recall({'a': (turn, np.zeros(3))}, {'a': _pose(0.0)})
    assert recall.shares == (0, 0, 0) and recall.median_degrees == 90


def test_nothing_found_and_nothing_to_find():
    assert pose_recall({}, {'a': _pose(0.0)}).median_metres == np.inf
    with pytest.raises(ValueError, match='should hold a pose'):
        pose_recall({}, {})


def test_basin_by_distance_of_the_start():
    def at(x):
        return np.eye(3), np.array([-x, 0.0, 0.0])

    truth = {name: at(0.0) for name in 'abcd'}
    rough = {'a': at(0.1), 'b': at(0.3), 'c': at(0.4), 'e': at(1.0)}
    poses = {'a': at(0.2), 'b': at(0.1), 'c': at(0.5), 'd': at(0.0)}
    assert pose_basin(rough, poses, truth) == [
        'from 0 to 0.25 m: 1 queries, 0% came nearer, median 0.10 to 0.20 m',
        'from 0.25 to 0.5 m: 2 queries, 50% came nearer, median 0.35 to '
        '0.30 m',
    ]
