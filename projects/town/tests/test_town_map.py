from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation


def lines(path):
    return path.read_text().splitlines()


def read_colmap(folder):
    images = {}
    rows = lines(folder / 'images.txt')
    for head, body in zip(rows[::2], rows[1::2]):
        number, *pose, camera, name = head.split()
        values = np.array(body.split(), dtype=float).reshape(-1, 3)
        images[int(number)] = name, np.array(pose, float), values
        assert camera == '1'
    points = {}
    for row in lines(folder / 'points3D.txt'):
        values = row.split()
        track = np.array(values[8:], dtype=int).reshape(-1, 2)
        points[int(values[0])] = np.array(values[1:4], float), track
    return images, points


def test_the_map_is_consistent(tiny, tiny_world):
    images, points = read_colmap(tiny_world / 'colmap')
    (camera,) = lines(tiny_world / 'colmap/cameras.txt')
    number, model, width, height, *k = camera.split()
    assert (number, model, width, height) == ('1', 'PINHOLE', '128', '96')
    fx, fy, cx, cy = map(float, k)
    assert fx == fy == pytest.approx(102.4) and (cx, cy) == (64, 48)
    assert len(images) == 4 and len(points) > 100
    seen = 0
    for point_id, (xyz, track) in points.items():
        assert len(track) >= 2
        for image_id, row in track:
            _, pose, observed = images[image_id]
            turn = Rotation.from_quat(pose[[1, 2, 3, 0]])
            local = turn.apply(xyz) + pose[4:]
            u = fx * local[0] / local[2] + cx
            v = fy * local[1] / local[2] + cy
            np.testing.assert_allclose(observed[row, :2], (u, v), atol=1e-2)
            assert observed[row, 2] == point_id
            seen += 1
    named = sum((obs[:, 2] >= 0).sum() for _, _, obs in images.values())
    assert named == seen


def test_point_labels_agree_with_the_class_maps(tiny_world):
    images, points = read_colmap(tiny_world / 'colmap')
    label = dict(
        np.loadtxt(tiny_world / 'point_labels.txt', dtype=int).tolist()
    )
    assert label.keys() == points.keys()
    for name, _, observed in images.values():
        stem = name.replace('.jpg', '_labelTrainIds.png')
        classes = cv2.imread(
            str(tiny_world / 'labels' / stem), cv2.IMREAD_UNCHANGED
        )
        for x, y, point_id in observed:
            if point_id >= 0:
                at = classes[round(y - 0.5), round(x - 0.5)]
                assert at == label[int(point_id)]


def test_poses_and_queries(tiny, tiny_world):
    poses = [row.split() for row in lines(tiny_world / 'poses.txt')]
    assert len(poses) == 28 and all(len(row) == 8 for row in poses)
    images, _ = read_colmap(tiny_world / 'colmap')
    by_name = {row[0]: np.array(row[1:], float) for row in poses}
    for name, pose, _ in images.values():
        np.testing.assert_allclose(pose, by_name[name])
    queries = lines(tiny_world / 'queries_with_intrinsics.txt')
    assert len(queries) == 24
    assert queries[0].endswith('.jpg PINHOLE 128 96 102.4 102.4 64 48')
    pairs = [row.split() for row in lines(tiny_world / 'query_pairs.txt')]
    database = {name for name, _, _ in images.values()}
    assert {second for _, second in pairs} == database
    assert {first for first, _ in pairs} == {q.split()[0] for q in queries}
