from __future__ import annotations

import numpy as np
import pytest
from mmcv.transforms import TransformBroadcaster
from mmengine.dataset import Compose

from fgsn_mmseg.datasets import StandardizePair


def make_results(seed=0):
    rng = np.random.default_rng(seed)
    return dict(
        img=rng.integers(60, 200, (30, 40, 3), np.uint8),
        img2=rng.integers(60, 200, (25, 20, 3), np.uint8),
        points=np.array([[3.5, 4.5]], np.float32),
    )


def broadcast(*transforms, share=False):
    return dict(
        type='TransformBroadcaster',
        mapping=dict(img=['img', 'img2']),
        auto_remap=True,
        share_random_params=share,
        transforms=list(transforms),
    )


@pytest.mark.parametrize(
    'transform',
    [
        dict(type='PhotoMetricDistortion'),
        dict(type='CLAHE'),
        dict(type='AdjustGamma', gamma=1.4),
        dict(type='RandomGrayscale', prob=1.0, keep_channels=True),
        dict(type='RandomCutOut', prob=1.0, n_holes=2, cutout_shape=(5, 5)),
    ],
    ids=lambda transform: transform['type'],
)
def test_each_image_by_mmcvs_wrapper(transform):
    np.random.seed(0)
    results = make_results()
    before = {key: value.copy() for key, value in results.items()}
    after = Compose([broadcast(transform)])(results)
    for key in ('img', 'img2'):
        assert after[key].shape == before[key].shape
        assert after[key].dtype == np.uint8
    assert (after['img'] != before['img']).any() or (
        after['img2'] != before['img2']
    ).any()
    np.testing.assert_array_equal(after['points'], before['points'])
    assert set(after) == set(before)


def test_draws_are_independent():
    # Both images the same: only different draws can make them differ.
    image = make_results()['img']
    pipeline = Compose([broadcast(dict(type='PhotoMetricDistortion'))])
    np.random.seed(0)
    different = 0
    for _ in range(20):
        after = pipeline(dict(img=image.copy(), img2=image.copy()))
        different += (after['img'] != after['img2']).any()
    assert different >= 15


def test_one_image_alone_by_key_mapper():
    pipeline = Compose(
        [
            dict(
                type='KeyMapper',
                mapping=dict(img='img2'),
                auto_remap=True,
                transforms=[dict(type='AdjustGamma', gamma=2.0)],
            )
        ]
    )
    before = make_results()
    after = pipeline(make_results())
    np.testing.assert_array_equal(after['img'], before['img'])
    assert (after['img2'] != before['img2']).any()


def test_pair_transforms_share_draws_in_mmcvs_context():
    # Nested in mmcv's wrappers our transforms behave as theirs do.
    wrapper = TransformBroadcaster(
        mapping=dict(img=['img', 'img2'], points=['points', 'points2']),
        auto_remap=True,
        share_random_params=True,
        transforms=[dict(type='RandomCropPair', crop_size=(5, 7))],
    )
    image = make_results()['img']
    points = np.array([[5, 5], [20, 20], [30, 10]], np.float32)
    np.random.seed(0)
    for _ in range(5):
        after = wrapper(
            dict(img=image, img2=image, points=points, points2=points)
        )
        np.testing.assert_array_equal(after['img'], after['img2'])
        np.testing.assert_array_equal(after['points'], after['points2'])


def test_standardize_against_a_loop():
    before = make_results()
    results = StandardizePair(mean=100, std=20, to_float32=True)(
        make_results()
    )
    for key in ('img', 'img2'):
        assert results[key].dtype == np.float32
        for c in range(3):
            values = before[key][..., c].astype(float)
            mean = sum(values.flat) / values.size
            squares = sum((v - mean) ** 2 for v in values.flat)
            std = (squares / values.size) ** 0.5
            expected = (values - mean) / std * 20 + 100
            np.testing.assert_allclose(
                results[key][..., c], expected, atol=1e-3
            )


@pytest.mark.parametrize('to_float32', [True, False])
def test_standardize_of_bytes_and_of_floats_agree(to_float32):
    standardize = StandardizePair(std=90, to_float32=to_float32)
    image = make_results()['img']
    of_bytes = standardize(dict(img=image))['img']
    of_floats = standardize(dict(img=image.astype(np.float32)))['img']
    assert of_bytes.dtype == of_floats.dtype
    np.testing.assert_allclose(of_bytes, of_floats, rtol=0, atol=1e-4)


def test_standardize_undoes_exposure_and_clips():
    image = make_results()['img']
    dark = (image.astype(float) * (0.3, 0.5, 0.4) + (5, 0, 10)).astype(
        np.float32
    )
    results = StandardizePair()(dict(img=image, img2=dark))
    for key in ('img', 'img2'):
        assert results[key].dtype == np.uint8
        assert abs(results[key].mean() - 127.5) < 2
    difference = results['img'].astype(int) - results['img2'].astype(int)
    assert abs(difference).max() <= 1
    spike = np.full((20, 20, 3), 10, np.uint8)
    spike[3, 3] = 255
    assert StandardizePair()(dict(img=spike))['img'].max() == 255


def test_standardize_image_of_one_value():
    flat = np.full((4, 6, 3), 7, np.uint8)
    results = StandardizePair(mean=120)(dict(img=flat))
    assert (results['img'] == 120).all()
