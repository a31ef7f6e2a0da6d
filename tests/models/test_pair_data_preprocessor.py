from __future__ import annotations

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from fgsn_mmseg.models import PairDataPreProcessor
from fgsn_mmseg.structures import PairDataSample

NORM = dict(mean=[10.0, 20.0, 30.0], std=[1.0, 2.0, 4.0])


def make_item(shape, shape2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sample = PairDataSample(
        metainfo=dict(img_shape=shape, img_shape2=shape2, ori_shape=(9, 9))
    )
    sample.points = torch.tensor([[1.25, 2.0]])
    sample.points2 = torch.tensor([[0.5, 1.0]])
    images = [
        torch.randint(0, 256, (3, *s), generator=generator, dtype=torch.uint8)
        for s in (shape, shape2)
    ]
    return dict(
        inputs=dict(img=images[0], img2=images[1]), data_samples=sample
    )


def normalized(image, bgr_to_rgb=False):
    """By hand, pixel by pixel value."""
    image = image.float()
    if bgr_to_rgb:
        image = image.flip(0)
    for c in range(3):
        image[c] = (image[c] - NORM['mean'][c]) / NORM['std'][c]
    return image


@pytest.mark.parametrize('bgr_to_rgb', [False, True])
def test_training_pads_all_to_the_largest(bgr_to_rgb):
    items = [
        make_item((4, 6), (5, 3), seed=0),
        make_item((4, 7), (2, 6), seed=1),
    ]
    batch = pseudo_collate([make_item((4, 6), (5, 3), seed=0), items[1]])
    preprocess = MODELS.build(
        dict(
            type='PairDataPreProcessor',
            bgr_to_rgb=bgr_to_rgb,
            pad_val=-7,
            **NORM,
        )
    )
    out = preprocess(batch, training=True)
    for i, item in enumerate(items):
        sample = out['data_samples'][i]
        for suffix in ('', '2'):
            padded = out['inputs'][f'img{suffix}'][i]
            assert padded.shape == (3, 5, 7)
            image = item['inputs'][f'img{suffix}']
            height, width = image.shape[1:]
            expected = normalized(image, bgr_to_rgb)
            assert torch.equal(padded[:, :height, :width], expected)
            assert (padded[:, height:] == -7).all()
            assert (padded[:, :, width:] == -7).all()
            meta = sample.metainfo
            assert meta[f'img_shape{suffix}'] == (height, width)
            assert meta[f'pad_shape{suffix}'] == (5, 7)
            assert meta[f'padding_size{suffix}'] == (
                0,
                7 - width,
                0,
                5 - height,
            )
        assert sample.points.tolist() == [[1.25, 2.0]]
        assert sample.points2.tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize(
    ('kwargs', 'shape'),
    [(dict(size=(8, 9)), (8, 9)), (dict(size_divisor=4), (8, 8))],
)
def test_training_size(kwargs, shape):
    batch = pseudo_collate([make_item((4, 6), (5, 3))])
    out = PairDataPreProcessor(**kwargs)(batch, training=True)
    assert out['inputs']['img'].shape == (1, 3, *shape)
    assert out['inputs']['img2'].shape == (1, 3, *shape)


def test_training_images_that_are_too_large():
    """As they come without a crop in the pipeline."""
    batch = pseudo_collate([make_item((4, 6), (5, 3))])
    with pytest.raises(ValueError, match='Add RandomCropPair') as error:
        PairDataPreProcessor(size=(4, 9))(batch, training=True)
    assert '(5, 3)' in str(error.value) and '\n' not in str(error.value)


def test_validation_of_pairs_keeps_both_sizes():
    item = make_item((4, 6), (5, 3))
    batch = pseudo_collate([make_item((4, 6), (5, 3))])
    out = PairDataPreProcessor(size=(8, 9), **NORM)(batch, training=False)
    for suffix in ('', '2'):
        expected = normalized(item['inputs'][f'img{suffix}'])[None]
        assert torch.equal(out['inputs'][f'img{suffix}'], expected)
    meta = out['data_samples'][0].metainfo
    assert meta['img_shape'] == meta['pad_shape'] == (4, 6)
    assert meta['img_shape2'] == meta['pad_shape2'] == (5, 3)


def test_validation_of_two_pairs():
    items = [make_item((4, 6), (5, 3), seed) for seed in (0, 1)]
    out = PairDataPreProcessor()(pseudo_collate(items))
    assert out['inputs']['img'].shape == (2, 3, 4, 6)
    assert out['inputs']['img2'].shape == (2, 3, 5, 3)
    items[1] = make_item((4, 6), (5, 4))
    with pytest.raises(ValueError, match='batch_size=1'):
        PairDataPreProcessor()(pseudo_collate(items))


def test_validation_padding_of_test_cfg():
    batch = pseudo_collate([make_item((4, 6), (5, 3))])
    out = PairDataPreProcessor(test_cfg=dict(size_divisor=4))(batch)
    assert out['inputs']['img'].shape == (1, 3, 4, 8)
    assert out['inputs']['img2'].shape == (1, 3, 8, 4)
    meta = out['data_samples'][0].metainfo
    assert meta['img_shape2'] == (5, 3)
    assert meta['pad_shape2'] == (8, 4)
    assert meta['img_padding_size'] == (0, 2, 0, 0)
    assert meta['img_padding_size2'] == (0, 1, 0, 3)


def test_pairs_without_samples():
    batch = dict(inputs=pseudo_collate([make_item((4, 6), (5, 3))])['inputs'])
    out = PairDataPreProcessor()(batch)
    assert out['data_samples'] is None
    assert out['inputs']['img2'].shape == (1, 3, 5, 3)


def single_batch(shapes, with_samples=True):
    images, samples = [], []
    for i, shape in enumerate(shapes):
        generator = torch.Generator().manual_seed(i)
        images.append(torch.randint(0, 256, (3, *shape), generator=generator))
        sample = SegDataSample(metainfo=dict(img_shape=shape))
        sample.gt_sem_seg = PixelData(data=torch.zeros(1, *shape).long())
        samples.append(sample)
    return dict(inputs=images, data_samples=samples if with_samples else None)


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('test_cfg', [None, dict(size=(8, 8))])
def test_single_images_exactly_as_mmseg(training, test_cfg):
    shapes = [(4, 6), (5, 3)] if training else [(4, 6), (4, 6)]
    config = dict(size=(6, 7), test_cfg=test_cfg, **NORM)
    ours = PairDataPreProcessor(**config)(single_batch(shapes), training)
    theirs = SegDataPreProcessor(**config)(single_batch(shapes), training)
    assert torch.equal(ours['inputs'], theirs['inputs'])
    for mine, their in zip(ours['data_samples'], theirs['data_samples']):
        assert mine.metainfo == their.metainfo
        assert torch.equal(mine.gt_sem_seg.data, their.gt_sem_seg.data)


def test_single_images_without_samples():
    batch = single_batch([(4, 6)], with_samples=False)
    out = PairDataPreProcessor(**NORM)(batch)
    assert out['data_samples'] is None
    assert out['inputs'].shape == (1, 3, 4, 6)


def test_caller_keeps_its_batch():
    batch = pseudo_collate([make_item((4, 6), (5, 3))])
    PairDataPreProcessor(size=(8, 9))(batch, training=True)
    assert len(batch['data_samples']) == 1
    assert batch['inputs']['img'][0].shape == (3, 4, 6)
    assert batch['inputs']['img'][0].dtype == torch.uint8
