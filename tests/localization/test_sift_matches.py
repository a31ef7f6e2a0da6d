from __future__ import annotations

import cv2
import numpy as np
import pytest
from photo_wall import SHIFTS, write_wall

from fgsn_mmseg.localization import estimate_pose, pose_error
from fgsn_mmseg.localization.hloc_files import open_h5
from fgsn_mmseg.localization.hloc_queries import query_matches
from fgsn_mmseg.localization.leave_one_out import leave_one_out, without_image
from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.sift_matches import SiftOptions, match_by_sift

pytest.importorskip('pycolmap', reason='the extra [localization] is absent')
pytest.importorskip('poselib', reason='the extra [localization] is absent')

DATABASE = [name for name in SHIFTS if name.startswith('db/')]


def _match(root, model, pairs=None, **options):
    return match_by_sift(
        model,
        root / 'photos',
        pairs or {'query.png': DATABASE},
        root / 'features.h5',
        root / 'matches.h5',
        SiftOptions(**options),
    )


def test_a_query_is_found_by_photos_alone(tmp_path):
    poses = write_wall(tmp_path, DATABASE)
    model = read_model(tmp_path / 'model')
    counts = _match(tmp_path, model)
    with (
        open_h5(tmp_path / 'features.h5') as features,
        open_h5(tmp_path / 'matches.h5') as matches,
    ):
        found = query_matches('query.png', DATABASE, model, features, matches)
    assert 30 < len(found.points) <= counts['query.png']
    points = model.xyz[found.points]
    # 30 pixels a metre, at the place of the query.
    expected = 30 * (points[:, :2] - SHIFTS['query.png']) + [80, 60]
    error = np.linalg.norm(expected - found.points2d, axis=1)
    assert (error < 3.5).mean() > 0.8
    camera = model.common_camera()
    pose = estimate_pose(
        found.points2d, points, camera, options=dict(max_error=4.0)
    )
    metres, _ = pose_error(
        pose.rotation, pose.translation, *poses['query.png']
    )
    assert metres < 0.2


def test_a_stricter_ratio_keeps_fewer(tmp_path):
    write_wall(tmp_path, DATABASE)
    model = read_model(tmp_path / 'model')
    loose, strict = (
        _match(tmp_path, model, ratio=ratio)['query.png']
        for ratio in (1.0, 0.5)
    )
    assert 0 < strict < loose
    with pytest.raises(ValueError, match='`ratio` should be above 0'):
        SiftOptions(ratio=0)


def test_photos_and_pairs_that_do_not_fit(tmp_path):
    write_wall(tmp_path, DATABASE)
    model = read_model(tmp_path / 'model')
    with pytest.raises(ValueError, match=r"not in the model.*'db/0\.png'"):
        _match(tmp_path, model, {'db/0.png': DATABASE})
    with pytest.raises(ValueError, match='not among its 3'):
        _match(tmp_path, model, {'query.png': ['other.png']})
    cv2.imwrite(str(tmp_path / 'photos/db/1.png'), np.zeros((60, 160)))
    with pytest.raises(ValueError, match='160 x 60 pixels') as caught:
        _match(tmp_path, model)
    assert '\n' not in str(caught.value)


def test_a_photo_without_features_has_no_matches(tmp_path):
    write_wall(tmp_path, DATABASE)
    cv2.imwrite(str(tmp_path / 'photos/query.png'), np.zeros((120, 160)))
    model = read_model(tmp_path / 'model')
    assert _match(tmp_path, model) == {'query.png': 0}


def test_without_an_image_points_need_two_others(tmp_path):
    write_wall(tmp_path)
    model = read_model(tmp_path / 'model')
    left = without_image(model, 'query.png')
    assert list(left.images) == DATABASE
    track = np.zeros(len(model.xyz), int)
    for name in DATABASE:
        rows = model.images[name].point_rows
        track[rows[rows >= 0]] += 1
    for name in DATABASE:
        before, after = (m.images[name].point_rows for m in (model, left))
        gone = (before >= 0) & (after < 0)
        np.testing.assert_array_equal(
            gone, (before >= 0) & (track[before] < 2)
        )
        assert (after[~gone] == before[~gone]).all()
    assert any(
        (left.images[n].point_rows != model.images[n].point_rows).any()
        for n in DATABASE
    )


def test_every_image_is_found_by_the_others(tmp_path):
    write_wall(tmp_path)
    model = read_model(tmp_path / 'model')
    found = list(leave_one_out(model, tmp_path / 'photos', None, ['ransac']))
    assert [one.name for one in found] == sorted(SHIFTS)
    for one in found:
        assert one.errors['ransac'][0] < 0.3
        assert 10 < one.right <= one.matches
        assert one.distance == pytest.approx(5.0)
        assert np.isnan(one.agreement).all()
