from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from localization_models import facing_views, write_model

from fgsn_mmseg.datasets import read_pair_file
from fgsn_mmseg.datasets.name_list import read_names
from fgsn_mmseg.localization.colmap_pairs import (
    colmap_to_correspondences,
    select_references,
)
from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.pair_filters import PairFilters
from fgsn_mmseg.localization.pair_writer import (
    distance_from_centre,
    group_places,
)

pytest.importorskip('pycolmap', reason='the extra [localization] is absent')

FEW = PairFilters(min_matches=5)


def write_photos(root, views):
    for view in views:
        width, height = map(int, view.camera.split()[1:3])
        photo = np.full((height, width, 3), 90, np.uint8)
        (root / view.name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / view.name), photo)
    return root


@pytest.fixture
def place(tmp_path):
    views, xyz = facing_views()
    write_model(tmp_path / 'model', views, xyz)
    write_photos(tmp_path / 'photos', views)
    return tmp_path, views, xyz


def test_pairs_are_keypoints_of_shared_points(place):
    root, views, _ = place
    report = colmap_to_correspondences(
        root / 'model', root / 'photos', root / 'out', filters=FEW
    )
    assert report.num_pairs == 12 and report.left_out == []
    assert report.num_train + report.num_val == 12 and report.num_val
    first, second = views[0], views[2]
    pair = read_pair_file(
        root / 'out/correspondence_data/cam_000--cam_002.mat'
    )
    assert (pair['img_path'], pair['img_path2']) == (first.name, second.name)
    assert (root / 'out/images' / first.name).is_file()
    # Slow re-statement; COLMAP's 0.5 is 0 in the files.
    expected = {
        (x - 0.5, y - 0.5, x2 - 0.5, y2 - 0.5)
        for (x, y), i in zip(first.points2d, first.point_ids)
        for (x2, y2), i2 in zip(second.points2d, second.point_ids)
        if i == i2 >= 0
    }
    got = np.column_stack([pair['points'], pair['points2']])
    assert len(got) == len(expected) >= 5
    np.testing.assert_allclose(
        sorted(map(tuple, got)), sorted(expected), atol=1e-12
    )
    np.testing.assert_allclose(
        pair['dist_from_center'],
        np.hypot(*(pair['points'] - [79.5, 59.5]).T) / np.hypot(79.5, 59.5),
    )


def test_no_place_trains_and_validates(place):
    root, _, _ = place
    colmap_to_correspondences(
        root / 'model', root / 'photos', root / 'out', None, FEW, num_places=2
    )
    sides = []
    for name in ('corr_train.txt', 'corr_val.txt'):
        pairs = read_names(str(root / 'out' / name))
        sides.append({pair.split('--')[0] for pair in pairs})
    # Four cameras in a row, in two groups of neighbours.
    assert sorted(map(sorted, sides)) in (
        [['cam_000', 'cam_001'], ['cam_002', 'cam_003']],
        [['cam_000'], ['cam_001', 'cam_002', 'cam_003']],
        [['cam_000', 'cam_001', 'cam_002'], ['cam_003']],
    )


def test_references_are_paired_with_the_others(place):
    root, _, _ = place
    report = colmap_to_correspondences(
        root / 'model',
        root / 'photos',
        root / 'out',
        ['cam/00[01].jpg'],
        FEW,
    )
    assert report.num_references == 2 and report.num_pairs == 4
    names = read_names(str(root / 'out/reference_image_names.txt'))
    assert names == ['cam/000.jpg', 'cam/001.jpg']


def test_select_references(tmp_path):
    names = ['a/1.jpg', 'a/2.jpg', 'ab/1.jpg', 'c.jpg']
    listed = tmp_path / 'list.txt'
    listed.write_text('c.jpg\n\nnot there.jpg\n')
    assert select_references(names, None) == set(names)
    assert select_references(names, ['a']) == {'a/1.jpg', 'a/2.jpg'}
    assert select_references(names, ['*/1.jpg', 'c.jpg']) == {
        'a/1.jpg',
        'ab/1.jpg',
        'c.jpg',
    }
    assert select_references(names, [str(listed)]) == {'c.jpg'}
    with pytest.raises(ValueError, match="got 'b', which fits none of 4"):
        select_references(names, ['a', 'b'])


def test_view_angle_leaves_pairs_out(place):
    root, _, _ = place
    filters = PairFilters(min_matches=5, max_view_angle=2.5)
    report = colmap_to_correspondences(
        root / 'model', root / 'photos', root / 'out', filters=filters
    )
    assert report.num_pairs == 6


def test_distortion_is_undone(tmp_path):
    views, xyz = facing_views()
    bent = []
    for view in views:
        flat = (np.array(view.points2d) - [80, 60]) / 150
        flat *= 1 - 0.2 * (flat**2).sum(1, keepdims=True)
        bent.append(
            replace(
                view,
                camera='SIMPLE_RADIAL 160 120 150 80 60 -0.2',
                points2d=[tuple(p) for p in flat * 150 + [80, 60]],
            )
        )
    write_model(tmp_path / 'model', bent, xyz)
    write_photos(tmp_path / 'photos', bent)
    colmap_to_correspondences(
        tmp_path / 'model',
        tmp_path / 'photos',
        tmp_path / 'out',
        filters=FEW,
        undistort=True,
    )
    model = read_model(tmp_path / 'out/sparse')
    camera = model.images['cam/000.jpg'].camera
    assert camera['model'] == 'PINHOLE'
    photo = cv2.imread(str(tmp_path / 'out/images/cam/000.jpg'))
    assert photo.shape[:2] == (camera['height'], camera['width'])
    pair = read_pair_file(
        tmp_path / 'out/correspondence_data/cam_000--cam_001.mat'
    )
    # The undistorted points are where a pinhole would see them.
    fx, fy, cx, cy = camera['params']
    positions = np.array([xyz[i] for i in sorted(xyz)])
    ideal = positions[:, :2] / positions[:, 2:] * [fx, fy] + [cx, cy] - 0.5
    for point in pair['points']:
        assert np.abs(ideal - point).max(1).min() < 1e-3


@pytest.mark.parametrize(
    'change, error, text',
    [
        (dict(filters=PairFilters(min_matches=500)), ValueError, 'got none'),
        (dict(references=['x']), ValueError, "'x', which fits none"),
        (dict(prefix='y'), FileNotFoundError, '4 of 4 are missing'),
        (dict(num_places=1), ValueError, 'one place for all 12'),
        (dict(train_share=1.0), ValueError, '`train_share`'),
    ],
)
def test_bad_input_is_one_line(place, change, error, text):
    root, _, _ = place
    call = dict(filters=FEW) | change
    with pytest.raises(error, match=text) as caught:
        colmap_to_correspondences(
            root / 'model', root / 'photos', root / 'out', **call
        )
    assert '\n' not in str(caught.value)


def test_pairs_are_not_written_over(place):
    root, _, _ = place
    paths = root / 'model', root / 'photos', root / 'out'
    colmap_to_correspondences(*paths, filters=FEW)
    with pytest.raises(FileExistsError, match='without pairs'):
        colmap_to_correspondences(*paths, filters=FEW)
    colmap_to_correspondences(*paths, filters=FEW, overwrite=True)


def test_distance_is_one_at_the_corner_pixels():
    corners = np.array([[0, 0], [9, 4], [4.5, 2.0]])
    np.testing.assert_allclose(
        distance_from_centre(corners, (10, 5)), [1, 1, 0]
    )


def test_places_are_groups_of_near_cameras():
    centres = {'a': 0.0, 'b': 0.1, 'c': 5.0, 'd': 5.2, 'e': 20.0}
    groups = group_places(
        {name: np.array([x, 0, 0]) for name, x in centres.items()}, 3
    )
    assert groups['a'] == groups['b'] != groups['c'] == groups['d']
    assert len(set(groups.values())) == 3
