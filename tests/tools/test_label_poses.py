"""PFSL and poses from labels alone, from the command line."""

from __future__ import annotations

import csv
import itertools

import cv2
import numpy as np
import pytest
from localization_models import View, write_model
from street_world import CAMERA, label_map, pixels_of, street, upright_pose

from fgsn_mmseg.datasets import write_label_map
from fgsn_mmseg.localization import pose_error
from fgsn_mmseg.localization.hloc_lists import read_poses, write_poses
from fgsn_mmseg.localization.map_labels import MapLabels

FOLLOW = 'tools/localization/follow_sequence.py'
ALIGN = 'tools/localization/align_labels.py'
INTRINSICS = 'PINHOLE 160 120 100 100 80 60'
NAMES = [f'q{i}.jpg' for i in range(9)]


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A street as a model, and a drive of six images with label maps."""
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    root = tmp_path_factory.mktemp('street')
    points = street(500)
    xyz = {i + 1: tuple(row) for i, row in enumerate(points.xyz)}
    views = []
    for x in range(0, 30, 3):
        pose = upright_pose(float(x), 0.0, 0.0)
        pixels, _ = pixels_of(points.xyz, *pose)
        inside = ((pixels >= 0) & (pixels < [160, 120])).all(1)
        inside &= points.visible_from([x, 0, 1.6])
        rows = np.flatnonzero(inside)
        views.append(
            View(
                f'db{x:02d}.jpg',
                *pose,
                pixels[rows].tolist(),
                (rows + 1).tolist(),
                INTRINSICS,
            )
        )
    write_model(root / 'model', views, xyz)
    ones = np.ones(len(xyz))
    MapLabels(
        np.array(sorted(xyz)),
        points.xyz,
        points.labels,
        ones,
        ones.astype(int),
    ).save(root / 'map.npz')
    truth = {
        name: upright_pose(4.0 + i, 0.1 * i, 2.0 * i)
        for i, name in enumerate(NAMES)
    }
    for name, pose in truth.items():
        path = root / f'labels/{name[:-4]}.png'
        write_label_map(str(path), label_map(points, *pose))
    write_poses(root / 'truth.txt', truth)
    (root / 'images.txt').write_text('\n'.join(NAMES) + '\n')
    motions = {}
    for before, name in itertools.pairwise(NAMES):
        turn = truth[name][0] @ truth[before][0].T
        motions[name] = turn, truth[name][1] - turn @ truth[before][1]
    write_poses(root / 'odometry.txt', motions)
    write_poses(root / 'start.txt', {NAMES[0]: upright_pose(3.2, -0.6, 3.0)})
    return root, truth


def _follow(call_tool, root, out, odometry='odometry.txt', *more):
    names = ('model', 'map.npz', 'labels', 'images.txt', odometry)
    return call_tool(
        FOLLOW,
        *(root / name for name in (*names, 'start.txt')),
        out,
        *('--truth', root / 'truth.txt', '--num-particles', 300),
        *('--temperature', 5, *more),
    )


def test_a_sequence_is_followed(place, call_tool, tmp_path):
    root, truth = place
    done = _follow(call_tool, root, tmp_path)
    assert done.returncode == 0, done.error
    found = read_poses(tmp_path / 'poses.txt')
    assert list(found) == NAMES
    errors = [pose_error(*found[n], *truth[n])[0] for n in NAMES]
    # It began 1 m away.
    assert errors[-1] < 0.55 * errors[0] and errors[-1] < 0.7
    assert '9 of 9 images have a pose' in done.stdout
    assert '9 of 9 queries have a pose' in done.stdout
    assert 'marked' not in done.stdout


def test_gaps_and_missing_labels_are_marked(place, call_tool, tmp_path):
    root, _ = place
    motions = read_poses(root / 'odometry.txt')
    del motions[NAMES[3]]
    write_poses(tmp_path / 'gap.txt', motions)
    hidden = root / f'labels/{NAMES[4][:-4]}.png'
    hidden.rename(tmp_path / 'hidden.png')
    try:
        done = _follow(call_tool, root, tmp_path / 'out', tmp_path / 'gap.txt')
    finally:
        (tmp_path / 'hidden.png').rename(hidden)
    assert f'marked: {NAMES[3]}: no odometry' in done.stdout
    assert f'marked: {NAMES[4]}: no label map' in done.stdout
    with open(tmp_path / 'out/diagnostics.csv', newline='') as file:
        rows = {row['name']: row for row in csv.DictReader(file)}
    assert rows[NAMES[3]]['gap'] == 'True' and rows[NAMES[2]]['gap'] == 'False'
    assert rows[NAMES[4]]['lost'] == 'True'


def test_rough_poses_are_refined(place, call_tool, tmp_path):
    root, truth = place
    rough = {
        name: upright_pose(4.3 + i, 0.1 * i - 0.3, 2.0 * i + 2)
        for i, name in enumerate(NAMES[:2])
    }
    # One that sees nothing of the map.
    rough[NAMES[2]] = upright_pose(300.0, 0.0, 0.0)
    write_poses(tmp_path / 'rough.txt', rough)
    names = ('model', 'map.npz', 'labels', 'images.txt')
    done = call_tool(
        ALIGN,
        *(root / name for name in names),
        *(tmp_path / 'rough.txt', tmp_path / 'out'),
        *('--truth', root / 'truth.txt', '--max-points', 250),
    )
    assert done.returncode == 0, done.error
    found = read_poses(tmp_path / 'out/poses.txt')
    assert list(found) == NAMES[:2]
    errors = [pose_error(*found[name], *truth[name])[0] for name in found]
    assert np.mean(errors) < 0.3
    assert f'no pose of {NAMES[2]}: ' in done.stdout
    assert f'no pose of {NAMES[3]}: no rough pose' in done.stdout
    assert 'from 0.25 to 0.5 m: 2 queries, ' in done.stdout


def _of_another_size(path):
    write_label_map(str(path), np.full((60, 80), 3))
    return '160 x 120, but got 80 x 60'


def _of_another_network(path):
    write_label_map(str(path), np.full((120, 160), 40))
    return 'should be below 40, but got 40'


def _of_eight_bits(path):
    cv2.imwrite(str(path), np.full((120, 160), 7, np.uint8))
    return 'a 16-bit PNG'


@pytest.mark.parametrize(
    'spoil, num',
    [
        (_of_another_size, 40),
        (_of_another_network, 40),
        (_of_eight_bits, 300),
    ],
)
def test_label_maps_that_do_not_fit(place, call_tool, tmp_path, spoil, num):
    """A rough pose has none then; a sequence cannot be followed."""
    root, truth = place
    (tmp_path / 'labels').mkdir()
    text = spoil(tmp_path / f'labels/{NAMES[0][:-4]}.png')
    (tmp_path / 'images.txt').write_text(f'{NAMES[0]}\n{NAMES[1]}\n')
    write_poses(tmp_path / 'rough.txt', truth)
    first = root / 'model', root / 'map.npz', tmp_path / 'labels'
    more = (tmp_path / 'out', '--num-clusters', num)
    images, rough = tmp_path / 'images.txt', tmp_path / 'rough.txt'
    done = call_tool(ALIGN, *first, images, rough, *more)
    assert done.returncode == 0, done.error
    lines = [x for x in done.stdout.splitlines() if 'no pose of' in x]
    assert text in lines[0] and lines[1].endswith(': no label map')
    odometry = root / 'odometry.txt'
    done = call_tool(FOLLOW, *first, images, odometry, rough, *more)
    assert done.returncode == 1 and text in done.error
    assert '\n' not in done.error


@pytest.mark.parametrize('bad', ['nan 0 0 0 1 2 3', '1 0 0 0 inf 2 3', '1 0'])
def test_poses_that_are_none(place, call_tool, tmp_path, bad):
    root, _ = place
    (tmp_path / 'rough.txt').write_text(f'{NAMES[0]} {bad}\n')
    names = ('model', 'map.npz', 'labels', 'images.txt')
    paths = [root / name for name in names]
    done = call_tool(ALIGN, *paths, tmp_path / 'rough.txt', tmp_path / 'out')
    assert done.returncode == 1 and '\n' not in done.error
    assert 'of finite numbers, but got' in done.error
    assert f'line 1 of {tmp_path}' in done.error
    done = _follow(call_tool, root, tmp_path / 'out', tmp_path / 'rough.txt')
    assert done.returncode == 1 and 'of finite numbers' in done.error


def test_a_camera_that_no_solver_takes(place, call_tool, tmp_path):
    root, truth = place
    lines = [f'{NAMES[0]} FOV 160 120 100 100 80 60 0.1', NAMES[1]]
    (tmp_path / 'images.txt').write_text('\n'.join(lines) + '\n')
    write_poses(tmp_path / 'rough.txt', truth)
    first = [root / name for name in ('model', 'map.npz', 'labels')]
    more = tmp_path / 'images.txt', tmp_path / 'rough.txt', tmp_path / 'out'
    done = call_tool(ALIGN, *first, *more, '--num-particles', 5)
    assert done.returncode == 0, done.error
    assert f'no pose of {NAMES[0]}: ' in done.stdout
    assert "but got 'FOV'" in done.stdout
    assert list(read_poses(tmp_path / 'out/poses.txt')) == [NAMES[1]]


def test_bad_input_is_one_line(place, call_tool, tmp_path, check_help):
    root, _ = place
    (tmp_path / 'none.txt').write_text('')
    names = ('model', 'map.npz', 'labels', 'images.txt', 'odometry.txt')
    paths = [root / name for name in names]
    done = call_tool(FOLLOW, *paths, tmp_path / 'none.txt', tmp_path)
    assert done.returncode == 1
    assert "pose of the first image 'q0.jpg'" in done.error
    paths[1] = root / 'truth.txt'
    done = call_tool(FOLLOW, *paths, root / 'start.txt', tmp_path)
    assert 'should be labels of a map (.npz)' in done.error
    for tool in (FOLLOW, ALIGN):
        check_help(tool)
    assert CAMERA['model'] in INTRINSICS
