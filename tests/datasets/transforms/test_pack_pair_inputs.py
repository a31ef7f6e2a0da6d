from __future__ import annotations

import numpy as np
import pytest
import torch

from fgsn_mmseg.datasets import PackPairInputs, RandomFlipPair, ResizePair
from fgsn_mmseg.structures import PairDataSample


def make_results():
    rng = np.random.default_rng(0)
    return dict(
        img_path='root/a/b/1.png',
        img_path2='root/a/c/2.png',
        corr_path='root/1--2.mat',
        swap=True,
        img=rng.integers(0, 256, (5, 7, 3), np.uint8),
        img2=rng.integers(0, 256, (6, 4, 3), np.uint8),
        img_shape=(5, 7),
        img_shape2=(6, 4),
        ori_shape=(50, 70),
        ori_shape2=(60, 40),
        scale_factor=(0.1, 0.1),
        points=np.array([[1.5, 2.5]], np.float32),
        points2=np.array([[0.5, 3.5]]),
        point_weights=np.array([0.25], np.float32),
    )


def test_pair():
    results = make_results()
    packed = PackPairInputs()(results)
    assert set(packed) == {'inputs', 'data_samples'}
    for key in ('img', 'img2'):
        tensor = packed['inputs'][key]
        assert tensor.dtype == torch.uint8
        assert tensor.is_contiguous()
        np.testing.assert_array_equal(
            tensor.numpy(), results[key].transpose(2, 0, 1)
        )
    sample = packed['data_samples']
    assert isinstance(sample, PairDataSample)
    assert sample.points.tolist() == [[1.5, 2.5]]
    assert sample.points2.tolist() == [[0.5, 3.5]]
    assert sample.point_weights.tolist() == [0.25]
    for key in ('points', 'points2', 'point_weights'):
        assert sample.get(key).dtype == torch.float32
    for key in ('img_path2', 'ori_shape2', 'img_shape', 'swap', 'corr_path'):
        assert sample.metainfo[key] == results[key]


def test_single_image_as_mmseg():
    results = make_results()
    for key in list(results):
        if key.endswith('2') or key == 'point_weights':
            del results[key]
    results['gt_seg_map'] = np.arange(35).reshape(5, 7)
    packed = PackPairInputs()(results)
    assert packed['inputs'].shape == (3, 5, 7)
    sample = packed['data_samples']
    assert isinstance(sample, PairDataSample)
    assert sample.points.shape == (1, 2)
    assert 'points2' not in sample
    assert 'point_weights' not in sample
    assert sample.gt_sem_seg.data.tolist()[0][4][6] == 34
    assert sample.img_shape == (5, 7)


def test_no_correspondences():
    results = make_results()
    results['points'] = results['points2'] = np.zeros((0, 2), np.float32)
    results['point_weights'] = np.zeros(0, np.float32)
    sample = PackPairInputs()(results)['data_samples']
    assert sample.points.shape == (0, 2)
    assert sample.point_weights.shape == (0,)


def test_wrong_arguments_of_the_others():
    with pytest.raises(ValueError, match='`short_side`'):
        ResizePair(short_side=0)
    with pytest.raises(ValueError, match='`scale`'):
        ResizePair(scale=(3, 0))
    with pytest.raises(ValueError, match='`ratio_range`'):
        ResizePair(ratio_range=(2.0, 0.5))
    with pytest.raises(ValueError, match='`prob`'):
        RandomFlipPair(prob=1.5)
