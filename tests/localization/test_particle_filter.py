from __future__ import annotations

import numpy as np
import pytest
from street_world import CAMERA, label_map, street, upright_pose

from fgsn_mmseg.localization import LabelLikelihood, pose_error
from fgsn_mmseg.localization.particle_filter import (
    FilterOptions,
    LabelParticleFilter,
)

pytest.importorskip('pycolmap', reason='the extra [localization] is absent')

OPTIONS = FilterOptions(num_particles=400, temperature=5.0)


@pytest.fixture(scope='module')
def drive():
    """A map, ten poses 1 m apart in a slight curve, their label maps."""
    points = street()
    poses = [upright_pose(4.0 + i, 0.1 * i, 2.0 * i) for i in range(10)]
    maps = [label_map(points, *pose) for pose in poses]
    return points.sample(300), poses, maps


def _odometry(first, second):
    turn = second[0] @ first[0].T
    return turn, second[1] - turn @ first[1]


def _follow(drive, start, options=OPTIONS, table=None, gap=None, maps=None):
    points, poses, own = drive
    follower = LabelParticleFilter(points, *start, table, options, seed=1)
    steps = []
    for i, labels in enumerate(maps or own):
        odometry = None
        if i and i != gap:
            odometry = _odometry(poses[i - 1], poses[i])
        steps.append(follower.step(labels, CAMERA, odometry))
    errors = [
        pose_error(s.rotation, s.translation, *p) for s, p in zip(steps, poses)
    ]
    return steps, errors


def test_follows_a_drive_from_a_wrong_start(drive):
    # 1.3 m and 4 degrees away from the truth.
    start = upright_pose(3.0, -0.8, 4.0)
    steps, errors = _follow(drive, start)
    assert pose_error(*start, *drive[1][0])[0] > 1.2
    last = np.mean(errors[-4:], axis=0)
    assert last[0] < 0.4 and last[1] < 2.0
    assert last[0] < 0.4 * errors[0][0]
    assert steps[-1].spread < steps[0].spread + 0.3
    assert not any(s.lost or s.gap for s in steps)


def test_without_labels_the_error_stays(drive):
    start = upright_pose(3.0, -0.8, 4.0)
    blank = [np.full((120, 160), -1)] * 10
    steps, errors = _follow(drive, start, maps=blank)
    assert errors[-1][0] > 0.9
    assert all(s.lost for s in steps)


def test_a_gap_is_marked_and_survived(drive):
    steps, errors = _follow(drive, drive[1][0], gap=5)
    assert [s.gap for s in steps] == [i == 5 for i in range(10)]
    assert errors[-1][0] < 1.0


def test_a_learned_table_knows_renamed_labels(drive):
    renamed = [(labels + 1) % 40 for labels in drive[2]]
    right = np.roll(np.eye(40), 1, axis=0) * 50
    table = LabelLikelihood.from_counts(right, np.ones((40, 40)))
    # This table is surer of itself than the default: more tempering.
    options = FilterOptions(num_particles=400, temperature=20.0)
    start = upright_pose(3.4, -0.5, 3.0)
    _, errors = _follow(drive, start, options, table, maps=renamed)
    assert np.mean(errors[-4:], axis=0)[0] < 0.4


def test_same_seed_same_track(drive):
    few = FilterOptions(num_particles=20)
    tracks = [_follow(drive, drive[1][0], few)[1] for _ in range(2)]
    assert tracks[0] == tracks[1]


def test_map_of_another_size(drive):
    follower = LabelParticleFilter(drive[0], *drive[1][0])
    with pytest.raises(ValueError, match=r'shape \(120, 160\)'):
        follower.step(np.zeros((10, 10), int), CAMERA)
