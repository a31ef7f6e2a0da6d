from __future__ import annotations

import csv
import sys

import cv2
import h5py
import numpy as np
import pytest
from hloc_worlds import write_hloc
from localization_models import facing_views, write_model

from fgsn_mmseg.evaluation import write_label_map
from fgsn_mmseg.localization.hloc_lists import read_poses, write_poses
from fgsn_mmseg.localization.likelihood import LabelLikelihood
from fgsn_mmseg.localization.map_labels import MapLabels

TOOL = 'tools/localization/localize.py'
ARGS = ('model', 'features.h5', 'matches.h5', 'queries.txt', 'pairs.txt')


@pytest.fixture
def place(tmp_path):
    """Three database images, a query, hloc's files with wrong matches.

    Every label map has a label of its own around each keypoint.
    """
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    pytest.importorskip('poselib', reason='no extra [localization]')
    views, xyz = facing_views(num_points=150)
    query = views.pop(1)
    write_model(tmp_path / 'model', views, xyz)
    write_hloc(tmp_path, [query, *views], wrong_share=0.93)
    (tmp_path / 'queries.txt').write_text(f'{query.name} {query.camera}\n')
    (tmp_path / 'pairs.txt').write_text(
        ''.join(f'{query.name} {view.name}\n' for view in views)
    )
    labels = np.full((120, 160), 65535)
    for (x, y), i in zip(query.points2d, query.point_ids):
        if i >= 0:
            labels[int(y), int(x)] = i % 50
    write_label_map(str(tmp_path / f'labels/{query.name[:-4]}.png'), labels)
    ids = np.array(sorted(xyz))
    MapLabels(
        ids,
        np.array([xyz[i] for i in ids]),
        ids % 50,
        np.ones(len(ids)),
        np.ones(len(ids), int),
    ).save(tmp_path / 'labels.npz')
    truth = {query.name: (query.rotation, query.translation)}
    write_poses(tmp_path / 'truth.txt', truth)
    photo = np.full((120, 160, 3), 200, np.uint8)
    (tmp_path / 'photos/cam').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'photos' / query.name), photo)
    return tmp_path, query


def _run(call_tool, root, out, *more):
    return call_tool(TOOL, *(root / a for a in ARGS), root / out, *more)


def _labels(root):
    return ('--map-labels', root / 'labels.npz', '--labels', root / 'labels')


def test_labels_find_the_pose_and_filter_the_matches(place, call_tool):
    root, query = place
    budget = ('--max-iterations', 3, '--max-error', 2)
    truth = ('--truth', root / 'truth.txt')
    plain = _run(call_tool, root, 'plain', *budget, *truth)
    assert 'within 0.25 m and 2 deg: 0.0%' in plain.stdout
    more = ('--method', 'ssmc', '--images', root / 'photos')
    done = _run(call_tool, root, 'out', *more, *budget, *truth, *_labels(root))
    assert done.returncode == 0, done.error
    assert '1 of 1 images have a pose' in done.stdout
    assert 'within 0.25 m and 2 deg: 100.0%' in done.stdout
    assert list(read_poses(root / 'out/poses.txt')) == [query.name]
    with open(root / 'out/diagnostics.csv', newline='') as file:
        (row,) = csv.DictReader(file)
    assert row['success'] == row['filtered'] == 'True'
    assert 4 <= int(row['kept']) < 0.3 * int(row['matches'])
    picture = cv2.imread(str(root / f'out/pictures/{query.name}.jpg'))
    # Matches on the left, labelled points of the map on the right.
    assert picture.shape == (120, 320, 3)
    assert all(half.std() > 5 for half in np.hsplit(picture, 2))
    # hloc localizes with what is written: the labels' choice, no more.
    with h5py.File(root / 'out/matches.h5') as file:
        groups = file[query.name.replace('/', '-')]
        assert len(groups) == 3
        count = sum((g['matches0'][()] >= 0).sum() for g in groups.values())
    assert count >= int(row['kept'])
    again = call_tool(
        TOOL,
        *(root / a for a in ARGS[:2]),
        root / 'out/matches.h5',
        *(root / a for a in ARGS[3:]),
        root / 'again',
        *budget,
        *truth,
    )
    assert 'within 0.25 m and 2 deg: 100.0%' in again.stdout


def test_queries_that_cannot_be_localized_are_told(place, call_tool):
    root, query = place
    with open(root / 'queries.txt', 'a') as file:
        file.write('cam/none.jpg PINHOLE 160 120 150 150 80 60\n')
        file.write(
            f'{query.name.replace("1", "0")} FOV 160 120 150 150 1 1 0\n'
        )
    done = _run(call_tool, root, 'out', '--method', 'ssmc', *_labels(root))
    assert done.returncode == 0, done.error
    assert '1 of 3 images have a pose' in done.stdout
    assert "should have keypoints of 'cam/none.jpg'" in done.stdout
    assert "but got 'FOV'" in done.stdout


def test_a_query_without_label_map_is_marked(place, call_tool):
    root, query = place
    (root / f'labels/{query.name[:-4]}.png').unlink()
    done = _run(call_tool, root, 'out', '--method', 'llr', *_labels(root))
    assert f'marked: {query.name}: no label map\n' in done.stdout
    with open(root / 'out/diagnostics.csv', newline='') as file:
        (row,) = csv.DictReader(file)
    assert row['success'] == 'True' and row['filtered'] == 'False'


def test_a_model_of_other_features_is_named(place, call_tool):
    root, _ = place
    with h5py.File(root / 'features.h5', 'a') as file:
        file['cam/000.jpg/keypoints'][3] += 40
    done = _run(call_tool, root, 'out')
    assert 'should be made of the features in' in done.stdout


def test_labels_that_drop_all_are_not_believed(place, call_tool):
    """Of another network: no label is that of the map."""
    root, query = place
    path = root / f'labels/{query.name[:-4]}.png'
    write_label_map(str(path), np.full((120, 160), 999))
    done = _run(call_tool, root, 'out', '--method', 'ssmc', *_labels(root))
    assert done.returncode == 0, done.error
    note = 'labels left 0 matches, so all were used'
    assert f'marked: {query.name}: {note}\n' in done.stdout
    # The table of a network says how many labels there are.
    LabelLikelihood(np.eye(50)).save(root / 'table.npz')
    more = ('--method', 'llr', '--table', root / 'table.npz')
    done = _run(call_tool, root, 'out', *more, *_labels(root))
    assert 'should be below 50, but got 999' in done.stdout


def _of_another_size(path):
    write_label_map(str(path), np.full((60, 80), 3))
    return '160 x 120, but got 80 x 60'


def _of_another_network(path):
    write_label_map(str(path), np.full((120, 160), 50))
    return 'should be below 50, but got 50'


def _of_eight_bits(path):
    cv2.imwrite(str(path), np.full((120, 160), 255, np.uint8))
    return 'a 16-bit PNG'


@pytest.mark.parametrize(
    'spoil, num',
    [
        (_of_another_size, 50),
        (_of_another_network, 50),
        (_of_eight_bits, 300),
    ],
)
def test_label_maps_that_do_not_fit(place, call_tool, spoil, num):
    root, query = place
    text = spoil(root / f'labels/{query.name[:-4]}.png')
    more = ('--method', 'ssmc', '--num-clusters', num)
    done = _run(call_tool, root, 'out', *more, *_labels(root))
    assert done.returncode == 0, done.error
    assert '0 of 1 images have a pose' in done.stdout
    (line,) = [x for x in done.stdout.splitlines() if 'no pose of' in x]
    assert line.startswith(f'no pose of {query.name}: ') and text in line


def test_eight_bits_are_read_where_k_fits(place, call_tool):
    root, query = place
    path = str(root / f'labels/{query.name[:-4]}.png')
    labels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    cv2.imwrite(path, np.minimum(labels, 255).astype(np.uint8))
    more = ('--method', 'ssmc', '--num-clusters', 50)
    done = _run(call_tool, root, 'out', *more, *_labels(root))
    assert '1 of 1 images have a pose' in done.stdout
    assert 'marked' not in done.stdout


@pytest.mark.parametrize('method', ['ransac', 'ssmc', 'llr', 'gsmc'])
def test_a_query_without_matches(place, call_tool, method):
    root, query = place
    (root / 'pairs.txt').write_text('other.jpg cam/000.jpg\n')
    uprights = root / 'uprights.txt'
    uprights.write_text(f'{query.name} 0 -1 0 0\n')
    more = ('--method', method, '--uprights', uprights)
    done = _run(call_tool, root, 'out', *more, *_labels(root))
    assert done.returncode == 0, done.error
    note = '0 matches, but 4 are needed'
    assert f'no pose of {query.name}: {note}\n' in done.stdout
    assert not read_poses(root / 'out/poses.txt')


def test_keypoints_that_are_none(place, call_tool):
    root, query = place
    with h5py.File(root / 'features.h5', 'a') as file:
        file[f'{query.name}/keypoints'][3] = np.nan
    done = _run(call_tool, root, 'out')
    assert done.returncode == 0, done.error
    assert f'no pose of {query.name}: ' in done.stdout
    assert 'with NaN or infinity' in done.stdout


def test_matches_of_other_features_are_named(place, call_tool):
    root, query = place
    with h5py.File(root / 'matches.h5', 'a') as file:
        group = file[query.name.replace('/', '-')]
        next(iter(group.values()))['matches0'][0] = 9999
    done = _run(call_tool, root, 'out')
    assert done.returncode == 0, done.error
    assert f'no pose of {query.name}: ' in done.stdout
    assert 'should be of the same features' in done.stdout


def test_a_map_that_cannot_be_read(place, call_tool):
    root, _ = place
    _, xyz = facing_views(num_points=150)
    write_model(root / 'model', [], xyz)
    done = _run(call_tool, root, 'out')
    assert done.returncode == 1 and '0 images with a pose' in done.error
    assert '\n' not in done.error


def test_gsmc_needs_gravity_and_height(place, call_tool):
    root, query = place
    done = _run(call_tool, root, 'o', '--method', 'gsmc', *_labels(root))
    assert (
        done.returncode == 1 and '`--uprights` should be given' in done.error
    )
    # The views of this model look along z; y points down.
    uprights = root / 'uprights.txt'
    uprights.write_text(f'{query.name} 0 -1 0 0\nother.jpg 0 -1 0 0\n')
    more = ('--method', 'gsmc', '--uprights', uprights, '--max-error', 2)
    done = _run(call_tool, root, 'out', *more, *_labels(root))
    assert done.returncode == 0, done.error
    with open(root / 'out/diagnostics.csv', newline='') as file:
        (row,) = csv.DictReader(file)
    assert row['note'] or row['success'] == 'True'
    uprights.write_text('other.jpg 0 -1 0 0\n')
    done = _run(call_tool, root, 'out', *more, *_labels(root))
    assert 'gravity and height of' in done.stdout


def test_labels_are_needed(place, call_tool):
    root, _ = place
    done = _run(call_tool, root, 'out', '--method', 'ssmc')
    assert done.returncode == 1 and "given for 'ssmc'" in done.error


def test_help(check_help):
    check_help(TOOL)


def test_without_the_extra_one_line_says_what_to_install(
    tmp_path, call_tool, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'pycolmap', None)
    done = _run(call_tool, tmp_path, 'out')
    assert done.returncode == 1
    assert "pip install 'fgsn-mmseg[localization]'" in done.error
