from __future__ import annotations

import numpy as np
import pytest
from street_world import (
    CAMERA,
    HEIGHT,
    UP_IN_CAMERA,
    label_map,
    pixels_of,
    street,
    upright_pose,
)

from fgsn_mmseg.localization import estimate_pose, pose_error
from fgsn_mmseg.localization.gsmc import (
    Upright,
    circle_poses,
    gsmc_pose,
    gsmc_scores,
)
from fgsn_mmseg.localization.weighted_ransac import estimate_pose_weighted

pytest.importorskip('poselib', reason='the extra [localization] is absent')
pytest.importorskip('pycolmap', reason='the extra [localization] is absent')

POSE = upright_pose(8.0, 0.5, 12.0)
UPRIGHT = Upright(UP_IN_CAMERA, HEIGHT)


@pytest.fixture(scope='module')
def points():
    return street()


@pytest.fixture(scope='module')
def seen(points):
    """Rows and pixels of the points in the image."""
    pixels, _ = pixels_of(points.xyz, *POSE)
    inside = ((pixels >= 0) & (pixels < [160, 120])).all(1)
    rows = np.flatnonzero(inside & points.visible_from([8.0, 0.5, HEIGHT]))
    # Level rays do not tell the distance.
    rows = rows[np.abs(pixels[rows, 1] - 60) > 8]
    return rows, pixels[rows]


def _matches(points, seen, num_right, num_wrong, seed):
    rng = np.random.default_rng(seed)
    rows, pixels = seen
    right = rng.choice(len(rows), num_right, replace=False)
    wrong = rng.choice(len(points.xyz), num_wrong)
    points2d = np.vstack(
        [pixels[right], rng.uniform(0, [160, 120], (num_wrong, 2))]
    )
    points3d = points.xyz[np.concatenate([rows[right], wrong])]
    return points2d, points3d


def test_circle_holds_the_true_pose(points, seen):
    rows, pixels = seen
    ray = np.append((pixels[0] - [80, 60]) / 100, 1.0)
    ray /= np.linalg.norm(ray)
    poses = list(zip(*circle_poses(ray, points.xyz[rows[0]], UPRIGHT, 720)))
    assert len(poses) == 720
    for rotation, translation in poses[::90]:
        # Its point is on the ray, the camera upright and at its height.
        seen_at = rotation @ points.xyz[rows[0]] + translation
        np.testing.assert_allclose(
            seen_at / np.linalg.norm(seen_at), ray, atol=1e-9
        )
        centre = -rotation.T @ translation
        assert centre[2] == pytest.approx(HEIGHT)
        np.testing.assert_allclose(
            rotation @ [0, 0, 1], UP_IN_CAMERA, atol=1e-9
        )
    errors = [pose_error(*pose, *POSE)[0] for pose in poses]
    assert min(errors) < 0.1


def test_no_circle_for_a_level_ray_or_a_point_behind(points):
    level = np.array([0.0, 0.0, 1.0])
    poses = circle_poses(level, np.array([9.0, 0, 3]), UPRIGHT, 8)
    assert [len(part) for part in poses] == [0, 0]
    up = np.array([0.0, -0.6, 0.8])
    poses = circle_poses(up, np.array([9.0, 0, 0.2]), UPRIGHT, 8)
    assert [len(part) for part in poses] == [0, 0]


def test_score_equals_a_slow_restatement(points, seen):
    points2d, points3d = _matches(points, seen, 3, 3, seed=1)
    labels = label_map(points, *POSE)
    labels[:, :20] = -1
    found = gsmc_scores(
        points2d, points3d, CAMERA, labels, points, UPRIGHT, 16, 5
    )
    for score, pixel, point in zip(found, points2d, points3d):
        best = 0.0
        for k in range(16):
            # A level camera of this yaw: forward, right and down by hand.
            yaw = 2 * np.pi * k / 16
            base = UPRIGHT.rotation()
            turn = np.array(
                [
                    [np.cos(yaw), -np.sin(yaw), 0],
                    [np.sin(yaw), np.cos(yaw), 0],
                    [0, 0, 1],
                ]
            )
            rotation = base @ turn
            ray = rotation.T @ np.append((pixel - [80, 60]) / 100, 1.0)
            far = (point[2] - HEIGHT) / ray[2]
            if far <= 0:
                continue
            centre = point - far * ray
            equal = total = 0
            for i in range(len(points.xyz)):
                offset = centre - points.xyz[i]
                length = np.sqrt(offset @ offset)
                if not 1.0 <= length <= 25.0:
                    continue
                if offset @ points.direction[i] < points.cosine[i] * length:
                    continue
                p = rotation @ (points.xyz[i] - centre)
                if p[2] <= 0:
                    continue
                u, v = p[0] / p[2] * 100 + 80, p[1] / p[2] * 100 + 60
                if not (0 <= u < 160 and 0 <= v < 120):
                    continue
                label = labels[int(v), int(u)]
                if label < 0:
                    continue
                total += 1
                equal += label == points.labels[i]
            if total >= 5:
                best = max(best, equal / total)
        assert score == pytest.approx(best)
    assert found.max() > 0


def test_right_matches_score_higher(points, seen):
    points2d, points3d = _matches(points, seen, 10, 10, seed=2)
    labels = label_map(points, *POSE)
    scores = gsmc_scores(
        points2d, points3d, CAMERA, labels, points, UPRIGHT, 60
    )
    assert scores[:10].mean() > 2 * scores[10:].mean()


def test_pose_where_plain_ransac_with_the_same_budget_fails(points, seen):
    labels = label_map(points, *POSE)
    options = dict(max_iterations=40, max_error=3.0)
    for seed in range(3):
        matches = _matches(points, seen, 12, 90, seed=10 + seed)
        # Labels say nothing: all weights are equal.
        plain = estimate_pose_weighted(
            *matches, CAMERA, np.ones(102), seed, options
        )
        assert (
            not plain.success
            or pose_error(plain.rotation, plain.translation, *POSE)[0] > 0.25
        )
        found = gsmc_pose(
            *matches,
            CAMERA,
            labels,
            points.sample(400),
            UPRIGHT,
            seed,
            options,
            num_angles=60,
        )
        metres, degrees = pose_error(found.rotation, found.translation, *POSE)
        assert metres < 0.05 and degrees < 0.5
        assert found.inliers[:12].all()


def test_weighted_ransac_draws_by_weight(points, seen):
    matches = _matches(points, seen, 12, 100, seed=3)
    weights = np.r_[np.ones(12), np.zeros(100)]
    options = dict(max_error=2.0, max_iterations=500)
    found = estimate_pose_weighted(*matches, CAMERA, weights, 0, options)
    assert pose_error(found.rotation, found.translation, *POSE)[0] < 1e-3
    # All samples are right: one is enough to be sure.
    assert found.iterations <= 2 and found.kept.sum() == 12
    unsure = estimate_pose_weighted(
        *matches, CAMERA, np.zeros(112), 0, options
    )
    assert not unsure.filtered
    assert unsure.note == 'labels left 0 matches, so all were used'
    few = estimate_pose_weighted(
        matches[0][:3], matches[1][:3], CAMERA, np.ones(3)
    )
    assert not few.success and np.isnan(few.translation).all()
    plain = estimate_pose(*matches, CAMERA, options=dict(max_error=2.0))
    assert pose_error(plain.rotation, plain.translation, *POSE)[0] < 1e-3


@pytest.mark.parametrize(
    'call, text',
    [
        (
            lambda: Upright((0, 0, 0), 1.0).rotation(),
            '`up_in_camera` should be a direction',
        ),
        (
            lambda: gsmc_scores(
                np.ones((4, 2)),
                np.ones((4, 3)),
                CAMERA,
                np.zeros((160, 120), int),
                street(10),
                UPRIGHT,
            ),
            r'`label_map` should be of the shape \(120, 160\)',
        ),
        (
            lambda: estimate_pose_weighted(
                np.ones((4, 2)), np.ones((4, 3)), CAMERA, [1, 1, -1, 1]
            ),
            '`weights` should be 4 finite',
        ),
    ],
)
def test_bad_input_is_one_line(call, text):
    with pytest.raises(ValueError, match=text) as caught:
        call()
    assert '\n' not in str(caught.value)
