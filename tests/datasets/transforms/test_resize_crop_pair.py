"""The fused transform against the two of which it is made."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose
from pair_worlds import blob_centre, blob_image

from fgsn_mmseg.datasets import RandomCropPair, ResizeCropPair, ResizePair
from fgsn_mmseg.datasets.transforms.resize_crop_pair import ResizedView

SHAPES = (311, 467), (402, 265)
# Before version 5 warpAffine placed pixels at whole parts of 1/32.
GREY_LEVELS = 1 if int(cv2.__version__.split('.')[0]) >= 5 else 5


def photo(shape, seed):
    """Noise of all frequencies that JPEG would keep, in colour."""
    rng = np.random.default_rng(seed)
    image = np.zeros((*shape, 3), np.float32)
    for cells, height in ((4, 60), (16, 40), (64, 30), (150, 12)):
        coarse = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        image += height * cv2.resize(coarse, shape[::-1])
    return np.clip(image + 128, 0, 255).astype(np.uint8)


def make_results(points=7):
    rng = np.random.default_rng(points)
    results = dict(img=photo(SHAPES[0], 0), img2=photo(SHAPES[1], 1))
    for suffix, (height, width) in zip(('', '2'), SHAPES):
        size = np.array([width, height])
        places = rng.uniform(-5, size + 5, (points, 2))
        results[f'points{suffix}'] = places.astype(np.float32)
        results[f'img_shape{suffix}'] = (height, width)
    results['point_weights'] = rng.uniform(size=points).astype(np.float32)
    return results


def two_steps(crop_size, pad_val=0, **resize):
    return Compose(
        [
            dict(type='ResizePair', **resize),
            dict(type='RandomCropPair', crop_size=crop_size, pad_val=pad_val),
        ]
    )


@pytest.mark.parametrize(
    'resize',
    [
        dict(short_side=430),  # larger
        dict(short_side=170),  # smaller
        dict(short_side=311),  # the first keeps its size
        dict(scale=(390, 520)),  # larger and smaller
        dict(short_side=300, ratio_range=(0.5, 2.0)),
    ],
)
@pytest.mark.parametrize('crop_size', [(129, 161), (280, 440)])
def test_equals_resize_and_crop(resize, crop_size):
    pad_val = (10, 20, 30)
    slow = two_steps(crop_size, pad_val, **resize)
    fast = ResizeCropPair(crop_size, pad_val=pad_val, **resize)
    for seed in range(12):
        results = make_results(points=seed % 4 * 5)
        np.random.seed(seed)
        expected = slow(copy.deepcopy(results))
        state = np.random.get_state()[1:3]
        np.random.seed(seed)
        got = fast(copy.deepcopy(results))
        np.testing.assert_equal(np.random.get_state()[1:3], state)
        assert got.keys() == expected.keys()
        for key, value in expected.items():
            if key not in ('img', 'img2'):
                np.testing.assert_array_equal(got[key], value, err_msg=key)
        for key in ('img', 'img2'):
            assert got[key].dtype == np.uint8
            assert got[key].shape == (*crop_size, 3)
            difference = np.abs(got[key].astype(int) - expected[key])
            assert difference.max() <= GREY_LEVELS
            assert difference.mean() < 0.2 * GREY_LEVELS


def test_part_of_noise():
    # Where a shift would show most.
    image = np.random.default_rng(0).integers(0, 256, (301, 449, 3), np.uint8)
    whole = cv2.resize(image, (600, 400)).astype(int)
    for y, x in ((0, 0), (41, 7), (123, 57), (271, 439)):
        part = ResizedView(image, (400, 600))[y : y + 129, x : x + 161]
        assert part.shape == (129, 161, 3)
        expected = whole[y : y + 129, x : x + 161]
        if GREY_LEVELS == 1:
            np.testing.assert_allclose(part, expected, atol=1)
        assert np.abs(part - expected).mean() < 1


def test_same_size_is_the_same_image():
    image = photo((90, 140), 3)
    part = ResizedView(image, (90, 140))[5:64, 7:107]
    np.testing.assert_array_equal(part, image[5:64, 7:107])


@pytest.mark.parametrize('short_side', [173, 403, 1000])
def test_points_stay_on_the_image(short_side):
    radius = int(12 * short_side / 300)
    points = np.array([[120.3, 80.7], [301.5, 150.25], [222.2, 201.9]])
    results = dict(
        img=blob_image(SHAPES[0], points),
        points=points.astype(np.float32),
        point_weights=np.ones(3, np.float32),
    )
    crop_size = (short_side * 2 // 3, short_side * 3 // 4)
    np.random.seed(0)
    seen = 0
    for _ in range(6):
        done = ResizeCropPair(crop_size, short_side)(copy.copy(results))
        for x, y in done['points']:
            border = min(x, y, crop_size[1] - 1 - x, crop_size[0] - 1 - y)
            if border > radius:
                centre = blob_centre(done['img'], (x, y), radius)
                assert np.hypot(centre[0] - x, centre[1] - y) < 0.05
                seen += 1
    assert seen >= 6


def test_single_image_without_points():
    results = ResizeCropPair(64, 100)(dict(img=photo((77, 120), 3)))
    assert results['img'].shape == (64, 64, 3)
    assert results['img'].base is None  # does not hold the whole image
    assert 'img2' not in results
    assert results['img_shape'] == (64, 64)


def test_grey_image():
    image = photo((90, 140), 3)[..., 0]
    part = ResizedView(image, (135, 210))[30:94, 41:105]
    whole = cv2.resize(image, (210, 135))[30:94, 41:105]
    np.testing.assert_allclose(part.astype(int), whole, atol=1)


def test_wrong_arguments():
    with pytest.raises(ValueError, match='`crop_size`'):
        ResizeCropPair((1, 2, 3))
    with pytest.raises(ValueError, match='`short_side`'):
        ResizeCropPair(5, short_side=0)
    assert 'short_side=1024' in repr(ResizeCropPair())
    assert isinstance(ResizeCropPair().resize, ResizePair)
    assert isinstance(ResizeCropPair().crop, RandomCropPair)
