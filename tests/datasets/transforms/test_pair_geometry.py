"""Points follow the content of the images, to a twentieth of a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.dataset import Compose
from pair_worlds import blob_centre, blob_image

POINTS = np.array([[61.3, 40.7], [130.25, 75.9], [95.5, 33.125]])
POINTS2 = np.array([[52.8, 118.4], [40.05, 60.5], [71.6, 87.35]])
SHAPES = (120, 190), (171, 103)


def make_results():
    return dict(
        img=blob_image(SHAPES[0], POINTS),
        img2=blob_image(SHAPES[1], POINTS2),
        img_shape=SHAPES[0],
        img_shape2=SHAPES[1],
        ori_shape=SHAPES[0],
        ori_shape2=SHAPES[1],
        points=POINTS.astype(np.float32),
        points2=POINTS2.astype(np.float32),
        point_weights=np.array([0.1, 0.2, 0.3], np.float32),
    )


def assert_points_on_blobs(results, radius, count=None):
    for suffix in ('', '2'):
        img, points = results[f'img{suffix}'], results[f'points{suffix}']
        assert results[f'img_shape{suffix}'] == img.shape[:2]
        assert points.dtype == np.float32
        assert count is None or len(points) == count
        height, width = img.shape[:2]
        for x, y in points:
            if not (
                radius < x < width - 1 - radius
                and radius < y < height - 1 - radius
            ):
                continue  # a spot that is cut off has another centre
            centre = blob_centre(img, (x, y), radius)
            assert np.hypot(centre[0] - x, centre[1] - y) < 0.05


def test_blobs_are_where_the_points_are():
    assert_points_on_blobs(make_results(), radius=14, count=3)


@pytest.mark.parametrize('short_side', [61, 97, 103, 240])
def test_resize(short_side):
    results = Compose([dict(type='ResizePair', short_side=short_side)])(
        make_results()
    )
    assert min(results['img_shape']) == min(results['img_shape2'])
    assert min(results['img_shape']) == short_side
    radius = int(14 * short_side / 120)
    assert_points_on_blobs(results, radius, count=3)
    # By hand: the true factor of each axis, about the pixels' corners.
    for suffix, points, shape in (
        ('', POINTS, SHAPES[0]),
        ('2', POINTS2, SHAPES[1]),
    ):
        height, width = results[f'img_shape{suffix}']
        factor = (width / shape[1], height / shape[0])
        assert results[f'scale_factor{suffix}'] == pytest.approx(factor)
        expected = (points + 0.5) * factor - 0.5
        np.testing.assert_allclose(
            results[f'points{suffix}'], expected, rtol=0, atol=1e-4
        )


def test_resize_to_fixed_scale_and_twice():
    pipeline = Compose(
        [
            dict(type='ResizePair', scale=(150, 170)),
            dict(type='ResizePair', scale=(131, 140)),
        ]
    )
    results = pipeline(make_results())
    assert results['img'].shape == results['img2'].shape == (140, 131, 3)
    assert results['scale_factor'] == pytest.approx((131 / 190, 140 / 120))
    assert_points_on_blobs(results, radius=14, count=3)


def test_ratio_range_draws_for_each_image():
    pipeline = Compose(
        [dict(type='ResizePair', short_side=100, ratio_range=(0.7, 1.5))]
    )
    np.random.seed(3)
    sides = []
    for _ in range(20):
        results = pipeline(make_results())
        sides.append([min(results[f'img_shape{s}']) for s in ('', '2')])
        assert_points_on_blobs(results, radius=12, count=3)
    sides = np.array(sides)
    assert sides.min() >= 70 and sides.max() <= 150
    assert (sides[:, 0] != sides[:, 1]).sum() > 15
    assert np.ptp(sides, axis=0).min() > 30


@pytest.mark.parametrize('same', [True, False])
def test_flip(same):
    pipeline = Compose([dict(type='RandomFlipPair', prob=0.5, same=same)])
    np.random.seed(0)
    seen = set()
    for _ in range(24):
        before, results = make_results(), pipeline(make_results())
        seen.add((results['flip'], results['flip2']))
        assert_points_on_blobs(results, radius=14, count=3)
        for s in ('', '2'):
            flipped = results[f'flip{s}']
            direction = results[f'flip_direction{s}']
            assert direction == ('horizontal' if flipped else None)
            image = before[f'img{s}']
            if flipped:
                image = image[:, ::-1]
            np.testing.assert_array_equal(results[f'img{s}'], image)
    both = {(False, False), (True, True)}
    assert seen == (both if same else both | {(False, True), (True, False)})


@pytest.mark.parametrize('crop_size', [(90, 101), (150, 80), (200, 210)])
def test_whole_chain(crop_size):
    pipeline = Compose(
        [
            dict(type='ResizePair', short_side=110, ratio_range=(0.8, 1.3)),
            dict(type='RandomCropPair', crop_size=crop_size),
            dict(type='RandomFlipPair', prob=0.5, same=False),
        ]
    )
    np.random.seed(0)
    for _ in range(10):
        results = pipeline(make_results())
        assert results['img'].shape == (*crop_size, 3)
        assert results['img2'].shape == (*crop_size, 3)
        count = len(results['points'])
        assert 1 <= count <= 3
        assert len(results['points2']) == count
        assert len(results['point_weights']) == count
        assert_points_on_blobs(results, radius=12)


def test_uint8_images_keep_points_too():
    results = make_results()
    for key in ('img', 'img2'):
        results[key] = np.rint(results[key]).astype(np.uint8)
    results = Compose([dict(type='ResizePair', short_side=75)])(results)
    assert results['img'].dtype == np.uint8
    assert_points_on_blobs(results, radius=9, count=3)
