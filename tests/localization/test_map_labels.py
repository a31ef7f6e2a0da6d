from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from localization_models import View, facing_views, write_model

from fgsn_mmseg.evaluation import write_label_map
from fgsn_mmseg.localization.label_maps import (
    LabelMaps,
    labels_at,
    read_stationary,
)
from fgsn_mmseg.localization.map_labels import (
    MapLabels,
    vote_labels,
    write_ply,
)
from fgsn_mmseg.localization.masks import write_masks
from fgsn_mmseg.localization.model import read_model

pytest.importorskip('pycolmap', reason='the extra [localization] is absent')


@pytest.fixture
def three_views(tmp_path):
    """Three images of three points; keypoints on known pixels."""
    # Pixel (3, 2) has its centre at 3.5, 2.5; 3.99 is still in it.
    spots = [[(3.5, 2.5), (3.99, 2.01), (3.0, 2.0)], [(10.2, 5.7)] * 3]
    views = [
        View(
            f'{name}.jpg',
            np.eye(3),
            np.zeros(3),
            [spots[0][i], spots[1][i], (0.1, 0.1)],
            [7, 9, -1],
        )
        for i, name in enumerate(['a/x', 'a/y', 'z'])
    ]
    xyz = {7: (0, 0, 5), 9: (1, 0, 5), 11: (0, 1, 5)}
    return write_model(tmp_path / 'model', views, xyz)


def _write_maps(folder, values):
    """Maps of 120 x 160 with one label at each of the two spots."""
    for name, (first, second) in values.items():
        labels = np.full((120, 160), 900)
        labels[2, 3], labels[5, 10] = first, second
        write_label_map(str(folder / f'{name}.png'), labels)


def test_points_get_the_label_of_most_of_their_images(three_views, tmp_path):
    _write_maps(
        tmp_path / 'maps', {'a/x': (5, 300), 'a/y': (5, 255), 'z': (2, -1)}
    )
    found, missing = vote_labels(
        read_model(three_views), LabelMaps(tmp_path / 'maps', 1000)
    )
    assert missing == []
    np.testing.assert_array_equal(found.point_ids, [7, 9, 11])
    # 300 and 255 have a vote each: the smaller wins. Nobody sees 11.
    np.testing.assert_array_equal(found.labels, [5, 255, -1])
    np.testing.assert_allclose(found.shares, [2 / 3, 0.5, 0])
    np.testing.assert_array_equal(found.votes, [3, 2, 0])
    found.save(tmp_path / 'labels.npz')
    loaded = MapLabels.load(tmp_path / 'labels.npz')
    np.testing.assert_array_equal(
        loaded.of_points(np.array([11, 9, 8, 7, 99])), [-1, 255, -1, 5, -1]
    )


def test_images_without_map_and_labels_that_move(three_views, tmp_path):
    _write_maps(tmp_path / 'maps', {'a/x': (0, 1)})
    found, missing = vote_labels(
        read_model(three_views),
        LabelMaps(tmp_path / 'maps'),
        np.array([True, False]),
    )
    assert missing == ['a/y.jpg', 'z.jpg']
    np.testing.assert_array_equal(found.labels, [0, -1, -1])
    with pytest.raises(ValueError, match='none of 3') as caught:
        (tmp_path / 'nothing').mkdir()
        vote_labels(read_model(three_views), LabelMaps(tmp_path / 'nothing'))
    assert '\n' not in str(caught.value)


def test_naive_votes_of_a_larger_model(tmp_path):
    views, xyz = facing_views()
    rng = np.random.default_rng(1)
    maps = {v.name: rng.integers(0, 3, (120, 160)) for v in views}
    for name, labels in maps.items():
        write_label_map(str(tmp_path / 'm' / f'{name}.png'), labels)
    model = read_model(write_model(tmp_path / 'model', views, xyz))
    found, _ = vote_labels(model, LabelMaps(tmp_path / 'm', 3))
    for row, i in enumerate(sorted(xyz)):
        votes = [0, 0, 0]
        for view in views:
            for (x, y), point in zip(view.points2d, view.point_ids):
                if point == i:
                    votes[maps[view.name][int(y), int(x)]] += 1
        if sum(votes):
            assert found.labels[row] == int(np.argmax(votes))
            assert found.shares[row] == max(votes) / sum(votes)
        else:
            assert found.labels[row] == -1


def test_ply_holds_positions_and_labels(tmp_path):
    labels = MapLabels(
        np.array([1, 2]),
        np.array([[1.0, 2, 3], [4, 5, 6]]),
        np.array([300, -1]),
        np.ones(2),
        np.ones(2, int),
    )
    write_ply(tmp_path / 'cloud.ply', labels)
    header, body = (tmp_path / 'cloud.ply').read_bytes().split(b'end_header\n')
    assert b'element vertex 2' in header and b'property int label' in header
    kinds = '<f4,<f4,<f4,u1,u1,u1,<i4'
    cloud = np.frombuffer(body, dtype=kinds)
    assert cloud[0].tolist()[:3] == (1, 2, 3) and cloud[0]['f6'] == 300
    assert cloud[1].tolist()[3:] == (128, 128, 128, -1)


def test_labels_at_the_borders():
    labels = np.arange(6).reshape(2, 3)
    pixels = [[0, 0], [2.999, 1.999], [3, 0], [-0.001, 0], [1.0, 0.5]]
    np.testing.assert_array_equal(
        labels_at(labels, np.array(pixels)), [0, 5, -1, -1, 1]
    )


def test_eight_bit_maps_only_where_k_fits(tmp_path):
    array = np.array([[3, 255, 0]], np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), array)
    read = LabelMaps(tmp_path, 19).read('a.jpg', 3, 1)
    np.testing.assert_array_equal(read, [[3, -1, 0]])
    read = LabelMaps(tmp_path, 256).read('a.jpg', 3, 1)
    np.testing.assert_array_equal(read, [[3, 255, 0]])
    for num in (None, 300):
        with pytest.raises(ValueError, match='16-bit PNG'):
            LabelMaps(tmp_path, num).read('a.jpg', 3, 1)
    with pytest.raises(ValueError, match='should be below 2, but got 3'):
        LabelMaps(tmp_path, 2).read('a.jpg', 3, 1)
    with pytest.raises(ValueError, match='4 x 1, but got 3 x 1 in'):
        LabelMaps(tmp_path, 19).read('a.jpg', 4, 1)


def test_masks_are_black_on_labels_that_move(tmp_path):
    photo = np.zeros((2, 3, 3), np.uint8)
    (tmp_path / 'photos/b').mkdir(parents=True)
    for name in ('a.jpg', 'b/c.png'):
        cv2.imwrite(str(tmp_path / 'photos' / name), photo)
    write_label_map(
        str(tmp_path / 'maps/a.png'), np.array([[0, 1, -1], [2, 1, 0]])
    )
    written, missing = write_masks(
        tmp_path / 'photos',
        ['a.jpg', 'b/c.png'],
        LabelMaps(tmp_path / 'maps', 3),
        tmp_path / 'masks',
        np.array([True, False, True]),
    )
    assert (written, missing) == (['a.jpg'], ['b/c.png'])
    mask = cv2.imread(str(tmp_path / 'masks/a.jpg.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, [[255, 0, 255], [255, 0, 255]])


@pytest.mark.parametrize(
    'content',
    [
        '[]',
        '{"num_clusters": 3}',
        '{"num_clusters": 3, "stationary": [3]}',
        'x',
    ],
)
def test_another_json_is_refused(tmp_path, content):
    path = tmp_path / 'other.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=r'should be a stationary_clusters'):
        read_stationary(path)


def test_stationary_file(tmp_path):
    content = dict(num_clusters=4, stationary=[0, 3], share=[1, 0, 0, 1])
    path = tmp_path / 's.json'
    path.write_text(json.dumps(content))
    stationary, num = read_stationary(path)
    assert num == 4 and stationary.tolist() == [True, False, False, True]
