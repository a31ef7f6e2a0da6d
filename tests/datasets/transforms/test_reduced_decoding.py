"""`LoadImagePair(min_short_side=...)`: JPEG decoded at a part of its size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose
from pair_worlds import blob_centre, blob_image
from PIL import Image

from fgsn_mmseg.datasets import LoadImagePair

POINTS = np.array([[120.3, 80.7], [301.5, 150.25], [222.2, 201.9]])


def load(path, **kwargs):
    results = dict(img_path=str(path), points=POINTS.astype(np.float32))
    return LoadImagePair(**kwargs)(results)


def write_blobs(path, shape, orientation=None, points=POINTS):
    image = Image.fromarray(blob_image(shape, points, 6).astype(np.uint8))
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    image.save(path, quality=95, **({'exif': exif} if orientation else {}))
    return path


@pytest.mark.parametrize(
    ('min_short_side', 'ratio'),
    [(311, 1), (156, 1), (155, 2), (78, 2), (77, 4), (38, 8), (10, 8)],
)
def test_size_and_points(tmp_path, min_short_side, ratio):
    # Not a multiple of any ratio.
    path = write_blobs(tmp_path / 'a.jpg', (311, 467))
    results = load(path, min_short_side=min_short_side)
    shape = (-(-311 // ratio), -(-467 // ratio))
    assert results['img'].shape == (*shape, 3)
    assert results['img_shape'] == shape
    assert results['ori_shape'] == (311, 467)
    if ratio == 1:
        assert 'scale_factor' not in results
    else:
        assert results['scale_factor'] == (1 / ratio, 1 / ratio)
    assert results['points'].dtype == np.float32
    for x, y in results['points'] if ratio <= 4 else []:
        centre = blob_centre(results['img'], (x, y), 24 // ratio)
        assert np.hypot(centre[0] - x, centre[1] - y) < 0.05


def test_then_resized(tmp_path):
    path = write_blobs(tmp_path / 'a.jpg', (311, 467))
    done = []
    for min_short_side in (None, 143):
        pipeline = Compose(
            [
                dict(type='LoadImagePair', min_short_side=min_short_side),
                dict(type='ResizePair', short_side=143),
            ]
        )
        done.append(
            pipeline(
                dict(img_path=str(path), points=POINTS.astype(np.float32))
            )
        )
    whole, reduced = done
    # 467 * 143 / 311 = 214.7, and 234 * 143 / 156 = 214.5.
    assert reduced['img'].shape == whole['img'].shape
    np.testing.assert_allclose(
        reduced['scale_factor'], whole['scale_factor'], rtol=4e-3
    )
    for x, y in reduced['points']:
        centre = blob_centre(reduced['img'], (x, y), 11)
        assert np.hypot(centre[0] - x, centre[1] - y) < 0.05
    difference = np.abs(reduced['img'].astype(int) - whole['img'])
    assert difference.mean() < 1


@pytest.mark.parametrize('orientation', range(1, 9))
def test_photos_are_not_turned(tmp_path, orientation):
    # Points lie on the pixels as stored, whatever a viewer would turn.
    path = write_blobs(tmp_path / 'a.jpg', (311, 467), orientation)
    whole, half = load(path), load(path, min_short_side=150)
    assert whole['ori_shape'] == half['ori_shape'] == (311, 467)
    assert whole['img_shape'] == (311, 467)
    assert half['img_shape'] == (156, 234)
    for results, radius in ((whole, 24), (half, 12)):
        for x, y in results['points']:
            centre = blob_centre(results['img'], (x, y), radius)
            assert np.hypot(centre[0] - x, centre[1] - y) < 0.05


def test_only_jpeg_is_reduced(tmp_path):
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), np.zeros((90, 120, 3), np.uint8))
    results = load(path, min_short_side=20)
    assert results['img_shape'] == results['ori_shape'] == (90, 120)
    np.testing.assert_array_equal(results['points'], POINTS.astype('f4'))


def test_pair(tmp_path):
    first = write_blobs(tmp_path / 'a.jpg', (311, 467))
    second = write_blobs(tmp_path / 'b.jpg', (160, 240), points=POINTS / 2)
    points2 = (POINTS / 2).astype(np.float32)
    results = LoadImagePair(min_short_side=155)(
        dict(
            img_path=str(first),
            img_path2=str(second),
            points=POINTS.astype(np.float32),
            points2=points2,
        )
    )
    assert results['img'].shape == (156, 234, 3)
    assert results['img2'].shape == (160, 240, 3)
    np.testing.assert_array_equal(results['points2'], points2)
    np.testing.assert_allclose(
        results['points'], (POINTS + 0.5) / 2 - 0.5, rtol=1e-6
    )


def test_errors(tmp_path):
    with pytest.raises(ValueError, match='`imdecode_backend`'):
        LoadImagePair(imdecode_backend='pillow', min_short_side=100)
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'broken\.jpg'):
        load(broken, min_short_side=100)
