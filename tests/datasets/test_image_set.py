from __future__ import annotations

import cv2
import numpy as np
import pytest
from mmengine import Config

from fgsn_mmseg.datasets import list_images
from fgsn_mmseg.datasets.image_set import (
    ImageSet,
    image_pipeline,
    pair_pipeline,
)


def types(config):
    return [step['type'] for step in image_pipeline(Config(config))]


def test_pipeline_of_pairs_becomes_one_of_images():
    pairs = [
        dict(type='LoadCorrespondences'),
        dict(type='LoadImagePair', backend='cv2'),
        dict(type='ResizePair', short_side=128, interpolation='area'),
        dict(type='StandardizePair'),
        dict(type='PackPairInputs', meta_keys=('img_path2',)),
    ]
    expected = ['LoadImagePair', 'ResizePair', 'StandardizePair']
    expected.append('PackSegInputs')
    config = dict(test_dataloader=dict(dataset=dict(pipeline=pairs)))
    assert types(config) == expected
    steps = image_pipeline(Config(config))
    assert steps[1]['interpolation'] == 'area'
    assert 'meta_keys' not in steps[-1] and 'backend' not in steps[0]
    inner = dict(type='ConcatDataset', datasets=[dict(pipeline=pairs)])
    assert types(dict(test_dataloader=dict(dataset=inner))) == expected
    inner = dict(dataset=dict(pipeline=pairs))
    assert types(dict(test_dataloader=dict(dataset=inner))) == expected


def test_test_pipeline_comes_first():
    steps = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
    other = dict(dataset=dict(pipeline=[]))
    assert types(dict(test_pipeline=steps, test_dataloader=other)) == [
        'LoadImagePair'
    ]
    with pytest.raises(ValueError, match='`test_pipeline` should be in'):
        image_pipeline(Config(dict(model=dict())))


def test_bad_files_are_told(tmp_path):
    cv2.imwrite(str(tmp_path / 'b.png'), np.zeros((5, 7, 3), np.uint8))
    (tmp_path / 'a.png').write_bytes(b'no picture')
    names = list_images(str(tmp_path))
    assert names == ['a.png', 'b.png']
    steps = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]
    images = ImageSet(str(tmp_path), names, steps)
    assert images[0].startswith(f"'{tmp_path}/a.png' should be an image")
    assert images[1]['inputs'].shape == (3, 5, 7)


def test_pipeline_of_images_becomes_one_of_pairs():
    images = [
        dict(type='LoadImageFromFile', color_type='color'),
        dict(type='ResizePair', short_side=96),
        dict(type='PackSegInputs', meta_keys=('img_path',)),
    ]
    pairs = pair_pipeline(images)
    assert [step['type'] for step in pairs] == [
        'LoadCorrespondences',
        'LoadImagePair',
        'ResizePair',
        'PackPairInputs',
    ]
    assert pairs[2] is images[1]
    assert pair_pipeline(pairs) == pairs
    with pytest.raises(ValueError, match="transforms of pairs, but got 'Res"):
        pair_pipeline([images[0], dict(type='Resize', scale=(9, 9))])
