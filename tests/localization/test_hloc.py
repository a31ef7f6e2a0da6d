from __future__ import annotations

from functools import partial

import cv2
import h5py
import numpy as np
import pytest
from hloc_worlds import write_hloc
from localization_models import facing_views, write_model
from localization_worlds import ROTATION, TRANSLATION

from fgsn_mmseg.datasets import read_pair_file
from fgsn_mmseg.localization.hloc_files import (
    find_pair,
    image_names,
    open_h5,
    read_keypoints,
    read_matches,
    write_matches,
)
from fgsn_mmseg.localization.hloc_lists import (
    read_poses,
    read_queries,
    read_retrieval,
    read_uprights,
    write_poses,
)
from fgsn_mmseg.localization.hloc_pairs import hloc_to_correspondences
from fgsn_mmseg.localization.pair_writer import group_by_matches


def strict_pose_line(line):
    """Parse a line as the benchmark's server does: 8 fields, unit q."""
    fields = line.split(' ')
    assert len(fields) == 8
    values = np.array([float(f) for f in fields[1:]])
    assert abs(np.linalg.norm(values[:4]) - 1) < 1e-9
    return fields[0], values


@pytest.fixture
def place(tmp_path):
    views, xyz = facing_views(num_points=150)
    (tmp_path / 'photos/cam').mkdir(parents=True)
    for view in views:
        cv2.imwrite(str(tmp_path / 'photos' / view.name), np.ones((120, 160)))
    return tmp_path, views, xyz


@pytest.mark.parametrize('old_names', [False, True])
def test_reads_both_orders_and_both_ways_of_naming(place, old_names):
    root, views, _ = place
    right = write_hloc(root, views, old_names=old_names)
    with open_h5(root / 'features.h5') as features:
        assert image_names(features) == [v.name for v in views]
        points = read_keypoints(features, views[1].name)
        np.testing.assert_allclose(points, views[1].points2d, atol=1e-4)
        with pytest.raises(ValueError, match=r"keypoints of 'x\.jpg'"):
            read_keypoints(features, 'x.jpg')
    with open_h5(root / 'matches.h5') as matches:
        for (name, name2), partner in right.items():
            expected = {(i, j) for i, j in enumerate(partner) if j >= 0}
            found = read_matches(matches, name, name2)
            assert set(map(tuple, found.tolist())) == expected
            found = read_matches(matches, name2, name)
            assert {(j, i) for i, j in found.tolist()} == expected
        assert find_pair(matches, 'x.jpg', views[0].name) is None


def test_written_matches_are_read_back(tmp_path):
    partner = np.array([2, -1, 0])
    write_matches(
        tmp_path / 'm.h5', {('a/b.jpg', 'c.jpg'): (partner, np.ones(3))}
    )
    with h5py.File(tmp_path / 'm.h5') as file:
        group = file['a-b.jpg/c.jpg']
        assert group['matches0'].dtype == np.int16
        assert group['matching_scores0'].dtype == np.float16
        assert group['matches0'][()].tolist() == [2, -1, 0]


@pytest.mark.parametrize('with_model', [False, True])
def test_pairs_without_the_wrong_matches(place, with_model):
    root, views, xyz = place
    right = write_hloc(root, views, wrong_share=0.2)
    convert = partial(
        hloc_to_correspondences,
        root / 'features.h5',
        root / 'matches.h5',
        root / 'photos',
        root / 'out',
        min_matches=15,
        max_error=0.5,
    )
    if with_model:
        pytest.importorskip('pycolmap', reason='no extra [localization]')
        model = write_model(root / 'model', views, xyz)
        report = convert(model_path=model)
    else:
        report = convert()
    assert report.num_pairs == 12 and report.num_val
    pair = read_pair_file(
        root / 'out/correspondence_data/cam_000--cam_001.mat'
    )
    points = np.array(views[0].points2d) - 0.5
    points2 = np.array(views[1].points2d) - 0.5
    truth = {
        tuple(np.round([*points[i], *points2[j]], 2))
        for i, j in enumerate(right['cam/000.jpg', 'cam/001.jpg'])
        if j >= 0
    }
    found = {
        tuple(row)
        for row in np.hstack([pair['points'], pair['points2']]).round(2)
    }
    # A wrong match may lie on its epipolar line by chance.
    assert len(found & truth) > 0.6 * len(truth)
    assert len(found - truth) <= 0.08 * len(found)


def test_files_that_do_not_belong_together(place):
    root, views, _ = place
    write_hloc(root, views)
    convert = partial(
        hloc_to_correspondences,
        root / 'features.h5',
        root / 'matches.h5',
        root / 'photos',
        min_matches=15,
    )
    with h5py.File(root / 'matches.h5', 'a') as file:
        next(iter(file['cam-001.jpg'].values()))['matches0'][0] = 9999
    with pytest.raises(ValueError, match='be of the same features') as caught:
        convert(root / 'out')
    assert '\n' not in str(caught.value)
    with h5py.File(root / 'features.h5', 'a') as file:
        file['cam/002.jpg/keypoints'][0] = np.nan
    with pytest.raises(ValueError, match='with NaN or infinity'):
        convert(root / 'out2')


def test_no_pair_left_is_one_line(place):
    root, views, _ = place
    write_hloc(root, views)
    with pytest.raises(ValueError, match='at least 900') as caught:
        hloc_to_correspondences(
            root / 'features.h5',
            root / 'matches.h5',
            root / 'photos',
            root / 'out',
            min_matches=900,
        )
    assert '\n' not in str(caught.value)


def test_files_that_are_none(tmp_path):
    (tmp_path / 'x.h5').write_text('no HDF5')
    with (
        pytest.raises(ValueError, match='readable HDF5'),
        open_h5(tmp_path / 'x.h5'),
    ):
        pass
    with pytest.raises(FileNotFoundError), open_h5(tmp_path / 'none.h5'):
        pass


def test_images_with_many_matches_are_one_place():
    counts = {('a', 'b'): 500, ('c', 'd'): 300, ('b', 'c'): 20}
    groups = group_by_matches(counts, 2)
    assert groups['a'] == groups['b'] != groups['c'] == groups['d']


def test_poses_in_the_format_of_the_benchmark(tmp_path):
    path = tmp_path / 'poses.txt'
    write_poses(path, {'a/1.jpg': (ROTATION, TRANSLATION)})
    name, values = strict_pose_line(path.read_text().removesuffix('\n'))
    assert name == 'a/1.jpg'
    np.testing.assert_allclose(values[4:], TRANSLATION, rtol=1e-11)
    rotation, translation = read_poses(path)['a/1.jpg']
    np.testing.assert_allclose(rotation, ROTATION, atol=1e-11)
    np.testing.assert_allclose(translation, TRANSLATION)
    with pytest.raises(ValueError, match='should be finite'):
        write_poses(path, {'a': (np.full((3, 3), np.nan), TRANSLATION)})
    path.write_text('a 1 0 0 0 nan 0 0\n')
    with pytest.raises(ValueError, match='finite numbers, but got'):
        read_poses(path)
    path.write_text('a 1 0 0\n')
    with pytest.raises(ValueError, match='line 1 of'):
        read_poses(path)


def test_query_lists(tmp_path):
    path = tmp_path / 'queries.txt'
    path.write_text(
        '# queries\n\nq/1.jpg SIMPLE_RADIAL 640 480 500 320 240 0\n'
    )
    assert read_queries(path) == {
        'q/1.jpg': dict(
            model='SIMPLE_RADIAL',
            width=640,
            height=480,
            params=[500.0, 320.0, 240.0, 0.0],
        )
    }
    for text in ('q/1.jpg\n', 'q/1.jpg PINHOLE 640 x 5\n', '# none\n'):
        path.write_text(text)
        with pytest.raises(ValueError, match='`queries` should have'):
            read_queries(path)
    path.write_text('q PINHOLE 640 480 500\n')
    with pytest.raises(ValueError, match='should be 4 finite'):
        read_queries(path)
    path.write_text('q d1\nq d2\n')
    assert read_retrieval(path) == {'q': ['d1', 'd2']}
    path.write_text('q d1 0.5\n')
    with pytest.raises(ValueError, match='line 1 of'):
        read_retrieval(path)


def test_a_name_alone_takes_the_camera_of_the_map(tmp_path):
    path = tmp_path / 'queries.txt'
    path.write_text('a.jpg\nb.jpg PINHOLE 64 48 50 50 32 24\n')
    camera = dict(model='PINHOLE', width=160, height=120, params=[1.0] * 4)
    found = read_queries(path, camera)
    assert found['a.jpg'] == camera and found['b.jpg']['width'] == 64
    with pytest.raises(ValueError, match='if all its images share one'):
        read_queries(path)


def test_what_is_known_of_cameras(tmp_path):
    path = tmp_path / 'uprights.txt'
    path.write_text('# level\nq/1.jpg 0 -1 0.5 1.6\n')
    found = read_uprights(path)['q/1.jpg']
    assert found.up_in_camera == (0.0, -1.0, 0.5) and found.height == 1.6
    path.write_text('q/1.jpg 0 -1 0\n')
    with pytest.raises(ValueError, match='line 1 of') as caught:
        read_uprights(path)
    assert '\n' not in str(caught.value)
