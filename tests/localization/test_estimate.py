from __future__ import annotations

import numpy as np
import pytest
from localization_worlds import (
    CAMERA,
    ROTATION,
    TRANSLATION,
    make_matches,
    radial_pixels,
)

from fgsn_mmseg.localization import (
    LabelLikelihood,
    check_camera,
    estimate_pose,
    pose_error,
)

pytest.importorskip('poselib', reason='the extra [localization] is absent')
pytest.importorskip('pycolmap', reason='the extra [localization] is absent')


def _estimate(matches, method, seed=0, **more):
    return estimate_pose(
        matches.points2d,
        matches.points3d,
        CAMERA,
        matches.labels2d,
        matches.labels3d,
        method=method,
        seed=seed,
        **more,
    )


def _error(found):
    return pose_error(found.rotation, found.translation, ROTATION, TRANSLATION)


@pytest.mark.parametrize('method', ['ransac', 'ssmc', 'llr'])
def test_clean_matches_give_the_pose(method):
    matches = make_matches(60, 60, seed=3)
    found = _estimate(matches, method)
    metres, degrees = _error(found)
    assert found.success and found.note == ''
    assert metres < 1e-3 and degrees < 0.01
    # Matches that the labels dropped come back with the last refinement.
    assert found.inliers.all()
    assert found.filtered == (method != 'ransac')


# Of 1,000 matches 200, 50 or 20 are right; the budgets are those with which
# a sample of three right ones is unlikely: 60 * 0.2**3 = 0.5 and so on.
@pytest.mark.parametrize('seed', [0, 1, 2])
@pytest.mark.parametrize(
    'num_right, budget', [(200, 20), (50, 500), (20, 5000)]
)
def test_labels_save_a_query_that_ransac_loses(num_right, budget, seed):
    matches = make_matches(1000, num_right, seed=100 + seed, noise=0.5)
    more = dict(seed=seed, options=dict(max_iterations=budget))
    plain = _estimate(matches, 'ransac', **more)
    assert not plain.success or _error(plain)[0] > 0.25
    for method in ('ssmc', 'llr'):
        found = _estimate(matches, method, **more)
        metres, degrees = _error(found)
        assert metres < 0.1 and degrees < 0.2
        assert (found.inliers & matches.right).sum() >= 0.95 * num_right


@pytest.mark.parametrize('use', ['order', 'weight'])
def test_other_uses_of_the_scores_keep_all(use):
    matches = make_matches(400, 20, seed=7, noise=0.5)
    budget = dict(max_iterations=500)
    found = _estimate(matches, 'llr', use=use, options=budget)
    assert found.kept.all() and found.filtered
    assert _error(found)[0] < 0.1
    plain = _estimate(matches, 'ransac', options=budget)
    assert not plain.success or _error(plain)[0] > 0.25


def test_last_refinement_uses_matches_without_equal_labels():
    errors = {True: [], False: []}
    for seed in range(8):
        matches = make_matches(400, 200, seed=seed, noise=1.0, agreement=0.15)
        for refine in errors:
            found = _estimate(matches, 'ssmc', refine_on_all=refine)
            errors[refine].append(_error(found)[0])
    assert np.mean(errors[True]) < 0.8 * np.mean(errors[False])


def test_a_learned_table_may_know_that_labels_change_names():
    # In this season every label is called one higher: none is equal.
    matches = make_matches(300, 60, seed=5, agreement=1.0, num_labels=20)
    matches.labels2d = (matches.labels2d + 1) % 20
    right = np.roll(np.eye(20), 1, axis=0) * 50
    table = LabelLikelihood.from_counts(right, np.full((20, 20), 5))
    found = _estimate(matches, 'llr', table=table)
    assert found.kept[matches.right].all()
    assert found.kept[~matches.right].mean() < 0.1
    assert _error(found)[0] < 1e-3


def test_same_seed_same_pose():
    matches = make_matches(300, 60, seed=9, noise=1.0)
    first, second = (_estimate(matches, 'ransac', seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.rotation, second.rotation)
    np.testing.assert_array_equal(first.inliers, second.inliers)


@pytest.mark.parametrize('count', [0, 1, 3])
def test_too_few_matches_are_marked(count):
    matches = make_matches(count, count, seed=1)
    found = _estimate(matches, 'ssmc')
    assert not found.success and not found.inliers.any()
    assert np.isnan(found.rotation).all() and found.inliers.shape == (count,)
    assert found.note == f'{count} matches, but 4 are needed'


def test_copies_of_three_matches_prove_nothing():
    matches = make_matches(3, 3, seed=1)
    rows = np.repeat(np.arange(3), 5)
    found = estimate_pose(
        matches.points2d[rows], matches.points3d[rows], CAMERA
    )
    assert not found.success and found.note == '3 matches, but 4 are needed'


def test_points_on_a_line_are_marked():
    line = np.linspace(0, 1, 20)[:, None] * [3.0, 1.0, 5.0] + [0, 0, 8.0]
    points = (line - TRANSLATION) @ ROTATION
    found = estimate_pose(radial_pixels(line), points, CAMERA)
    assert not found.success and np.isnan(found.rotation).all()


def test_labels_that_drop_all_are_not_believed():
    matches = make_matches(50, 50, seed=2)
    matches.labels2d = np.full(50, 65535)
    for method in ('ssmc', 'llr'):
        found = _estimate(matches, method)
        assert found.success and not found.filtered and found.kept.all()
        assert found.note == 'labels left 0 matches, so all were used'
        assert _error(found)[0] < 1e-3


def test_no_pose_is_marked():
    matches = make_matches(6, 0, seed=11)
    found = _estimate(matches, 'ransac', options=dict(max_error=0.5))
    assert not found.success and np.isnan(found.translation).all()
    assert found.note == 'no pose that 4 matches fit'


def _broken(**change):
    matches = make_matches(20, 20, seed=0)
    call = dict(
        points2d=matches.points2d,
        points3d=matches.points3d,
        camera=CAMERA,
        labels2d=matches.labels2d,
        labels3d=matches.labels3d,
        method='ssmc',
    )
    call.update(change)
    return call


def _with_nan(shape):
    array = np.ones(shape)
    array[3, 1] = np.nan
    return array


@pytest.mark.parametrize(
    'change, text',
    [
        (dict(points2d=_with_nan((20, 2))), '`points2d` should be finite'),
        (dict(points3d=_with_nan((20, 3))), '1 of 20 rows'),
        (dict(points3d=np.ones((20, 2))), r'the shape \(N, 3\)'),
        (dict(points3d=np.ones((19, 3))), 'one length, but got 20 and 19'),
        (dict(labels2d=np.zeros(19, int)), r'the shape \(20,\)'),
        (dict(labels3d=np.zeros(20)), 'should be integers, but got float64'),
        (dict(labels2d=None), "given for 'ssmc', but got None"),
        (dict(method='prosac'), "but got 'prosac'"),
        (dict(options=dict(max_iteration=5)), "but got 'max_iteration'"),
        (dict(options=dict(max_error=-1)), 'above 0 pixels'),
        (dict(method='llr', use='weigh'), "but got 'weigh'"),
        (dict(camera=CAMERA | dict(model='FOV')), "but got 'FOV'"),
        (dict(camera=CAMERA | dict(params=[1.0])), 'should be 4 finite'),
    ],
)
def test_bad_input_is_one_line(change, text):
    with pytest.raises(ValueError, match=text) as caught:
        estimate_pose(**_broken(**change))
    assert '\n' not in str(caught.value)


def test_cameras_of_pycolmap():
    pycolmap = pytest.importorskip('pycolmap')
    camera = pycolmap.Camera(**CAMERA).todict()
    assert check_camera(camera) == CAMERA


def test_camera_without_a_key():
    with pytest.raises(KeyError, match='Add params'):
        estimate_pose(**_broken(camera=dict(model='X', width=1, height=1)))


def test_confidence_orders_equal_labels():
    """All labels are equal; only the confidence knows the right matches."""
    matches = make_matches(1000, 50, seed=5)
    labels = np.zeros(1000, int)
    labels[::2] = 1
    # The right ones last: the order of the rows must not help.
    pixels, points = matches.points2d[::-1], matches.points3d[::-1]
    args = pixels, points, CAMERA, labels, labels
    options = dict(max_iterations=30, max_error=4.0)
    sure = np.where(matches.right[::-1], 1.0, 0.1)
    plain, found = (
        estimate_pose(
            *args, 'llr', use='order', options=options, confidence=confidence
        )
        for confidence in (None, sure)
    )
    assert (
        pose_error(found.rotation, found.translation, ROTATION, TRANSLATION)[0]
        < 0.01
    )
    assert (
        not plain.success
        or pose_error(
            plain.rotation, plain.translation, ROTATION, TRANSLATION
        )[0]
        > 0.25
    )
    # Of confidence 0: as a match whose labels are unknown.
    none = estimate_pose(*args, 'ssmc', confidence=np.zeros(1000))
    assert not none.filtered and 'labels left 0 matches' in none.note


@pytest.mark.parametrize('bad', [np.ones(3), np.full(20, 1.5), [np.nan] * 20])
def test_confidence_out_of_range(bad):
    matches = make_matches(20, 20, seed=0)
    with pytest.raises(
        ValueError, match='`confidence` should be 20'
    ) as caught:
        estimate_pose(
            matches.points2d,
            matches.points3d,
            CAMERA,
            matches.labels2d,
            matches.labels3d,
            'llr',
            confidence=bad,
        )
    assert '\n' not in str(caught.value)
