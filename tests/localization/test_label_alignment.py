from __future__ import annotations

import numpy as np
import pytest
from street_world import CAMERA, label_map, street, upright_pose

from fgsn_mmseg.localization import pose_error
from fgsn_mmseg.localization.label_alignment import align_labels

pytest.importorskip('pycolmap', reason='the extra [localization] is absent')

POSE = upright_pose(8.0, 0.5, 12.0)


@pytest.fixture(scope='module')
def view():
    points = street(1500)
    return points, label_map(points, *POSE)


def test_rough_poses_come_nearer(view):
    points, labels = view
    rng = np.random.default_rng(0)
    before, after = [], []
    for seed in range(3):
        dx, dy = rng.choice([-0.4, 0.4], 2)
        start = upright_pose(8.0 + dx, 0.5 + dy, 12 + rng.choice([-2, 2]))
        found = align_labels(*start, CAMERA, labels, points, seed=seed)
        before.append(pose_error(*start, *POSE))
        after.append(pose_error(found.rotation, found.translation, *POSE))
        assert found.agreement > found.agreement_before
    metres, degrees = np.median(after, axis=0)
    assert metres < 0.5 * np.median(before, axis=0)[0]
    assert degrees < 1.0


def test_the_true_pose_stays(view):
    points, labels = view
    found = align_labels(*POSE, CAMERA, labels, points)
    metres, degrees = pose_error(found.rotation, found.translation, *POSE)
    assert metres < 0.15 and degrees < 0.5
    assert found.num_points > 100


def test_a_pose_that_sees_nothing_is_refused(view):
    points, labels = view
    away = upright_pose(200.0, 0.0, 0.0)
    with pytest.raises(ValueError, match='Start nearer') as caught:
        align_labels(*away, CAMERA, labels, points)
    assert '\n' not in str(caught.value)
