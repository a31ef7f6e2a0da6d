from __future__ import annotations

import numpy as np
import pytest

from fgsn_mmseg.datasets import RandomCropPair


def numbered(height, width):
    """Every pixel holds its own number, from 1; 0 is padding."""
    img = np.arange(1, height * width + 1, dtype=np.int32)
    return np.repeat(img.reshape(height, width)[..., None], 3, axis=2)


def make_results(points, points2, shape=(9, 14), shape2=(12, 8)):
    return dict(
        img=numbered(*shape),
        img2=numbered(*shape2),
        points=np.array(points, np.float32).reshape(-1, 2),
        points2=np.array(points2, np.float32).reshape(-1, 2),
        point_weights=np.arange(len(points), dtype=np.float32),
    )


def test_by_hand():
    # x 6, y 4: rows 4 - 2 .. 6, columns 6 - 3 .. 8 of the reference;
    # x 1, y 11: the corner rows 7..11, columns 0..5 of the target.
    results = RandomCropPair((5, 6))(make_results([[6.2, 4.4]], [[1, 11]]))
    np.testing.assert_array_equal(results['img'], numbered(9, 14)[2:7, 3:9])
    np.testing.assert_array_equal(results['img2'], numbered(12, 8)[7:12, 0:6])
    np.testing.assert_allclose(results['points'], [[3.2, 2.4]], atol=1e-6)
    np.testing.assert_allclose(results['points2'], [[1, 4]])
    assert results['img_shape'] == results['img_shape2'] == (5, 6)


def test_smaller_images_are_padded_and_points_shifted():
    # Height 9 in 13: two rows before. Width 14 in 6: x 13 is at the border.
    # Target 12 x 8 in 13 x 6: no row before, one after.
    crop = RandomCropPair((13, 6), pad_val=(1000, 2000, 3000))
    results = crop(make_results([[13, 0]], [[7, 5]]))
    np.testing.assert_array_equal(
        results['img'][2:11], numbered(9, 14)[:, 8:14]
    )
    for rows in (slice(0, 2), slice(11, 13)):
        assert (results['img'][rows] == (1000, 2000, 3000)).all()
    np.testing.assert_array_equal(
        results['img2'][:12], numbered(12, 8)[:, 2:8]
    )
    assert (results['img2'][12:] == (1000, 2000, 3000)).all()
    np.testing.assert_allclose(results['points'], [[5, 2]])
    np.testing.assert_allclose(results['points2'], [[5, 5]])


def test_points_outside_either_crop_are_dropped():
    # Only the first is inside both images, so it is chosen.
    points = [[6, 4], [3.4, 2], [2.4, 4], [6, 4], [-30, 4]]
    points2 = [[4, 6], [4, 6], [4, 6], [4, -0.6], [4, 6]]
    for _ in range(5):
        results = RandomCropPair((5, 6))(
            make_results(points[:1] + points[2:], points2[:1] + points2[2:])
        )
        # 2.4 lies left of column 3, whose area begins at 2.5: dropped
        # unless it was chosen itself.
        assert len(results['points']) == len(results['points2'])
    results = RandomCropPair((5, 6))(
        make_results(
            [points[0], points[3], points[4]], [points2[0]] * 2 + [points2[4]]
        )
    )
    assert results['point_weights'].tolist() == [0, 1]


def test_sub_pixel_border_of_the_crop():
    crop = RandomCropPair((5, 6))
    crop._draw = lambda: np.zeros(5)  # always the first
    # Columns 3..8 are kept: their area is 2.5 <= x < 8.5.
    xs = [6, 2.5, 2.49, 8.49, 8.5]
    results = crop(make_results([[x, 4] for x in xs], [[4, 6]] * 5))
    assert results['point_weights'].tolist() == [0, 1, 3]
    np.testing.assert_allclose(
        results['points'][:, 0], [3, -0.5, 5.49], atol=1e-5
    )


def test_points_on_padding_are_dropped():
    crop = RandomCropPair((13, 6))
    crop._draw = lambda: np.zeros(5)
    # y -1 lies on the two rows of padding, not on the image.
    results = crop(make_results([[6, 4], [6, -1]], [[4, 6]] * 2))
    assert results['point_weights'].tolist() == [0]


def test_every_usable_correspondence_is_chosen_in_turn():
    points = [[2, 4], [7, 4], [11, 4], [-5, 4], [5, 5]]
    points2 = [[4, 6], [4, 6], [4, 6], [4, 6], [4, 60]]
    np.random.seed(0)
    counts = dict.fromkeys((2, 7, 11), 0)
    for _ in range(300):
        crop = RandomCropPair((3, 3))(make_results(points, points2))
        # The crop's middle column is the chosen x.
        counts[int(crop['img'][0, 1, 0] - 1) % 14] += 1
    assert min(counts.values()) > 70


@pytest.mark.parametrize('key', ['empty', 'outside', 'absent'])
def test_without_correspondences_crops_are_random(key):
    np.random.seed(0)
    starts = set()
    for _ in range(200):
        results = make_results([], [])
        if key == 'outside':
            results = make_results([[-9, 4], [50, 4]], [[4, 6], [4, 6]])
        if key == 'absent':
            for name in ('points', 'points2', 'point_weights'):
                del results[name]
        results = RandomCropPair((7, 7))(results)
        if key == 'absent':
            assert 'points' not in results
        else:
            for name in ('points', 'points2'):
                assert results[name].shape == (0, 2)
                assert results[name].dtype == np.float32
            assert results['point_weights'].shape == (0,)
        first = results['img'][0, 0, 0] - 1, results['img2'][0, 0, 0] - 1
        starts.add((*divmod(first[0], 14), *divmod(first[1], 8)))
    # 9 - 7 + 1 rows, 14 - 7 + 1 columns; 12 - 7 + 1 rows, 8 - 7 + 1 columns.
    ranges = [{s[i] for s in starts} for i in range(4)]
    assert ranges == [set(range(n)) for n in (3, 8, 6, 2)]


def test_single_image():
    results = make_results([[6, 4], [13, 8]], [[0, 0], [0, 0]])
    for key in ('img2', 'points2'):
        del results[key]
    crop = RandomCropPair(5)
    crop._draw = lambda: np.zeros(5)
    results = crop(results)
    assert results['img'].shape == (5, 5, 3)
    assert results['points'].tolist() == [[2, 2]]
    assert results['point_weights'].tolist() == [0]
    assert 'img_shape2' not in results


def test_crop_does_not_hold_the_whole_image():
    results = RandomCropPair((5, 6))(make_results([[6, 4]], [[4, 6]]))
    assert results['img'].base is None


def test_wrong_arguments():
    for size in (0, (5, -1), (1, 2, 3)):
        with pytest.raises(ValueError, match='`crop_size`'):
            RandomCropPair(size)
    with pytest.raises(KeyError, match='LoadImagePair'):
        RandomCropPair(5)({})
