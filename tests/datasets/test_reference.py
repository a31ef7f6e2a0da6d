from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import torch
from mmseg.registry import DATASETS
from reference_worlds import (
    assert_same,
    build,
    contents,
    make_reference_world,
    naive,
)

from fgsn_mmseg.datasets import (
    CorrespondenceDataset,
    ReferenceImageDataset,
    read_pair_file,
)


@pytest.fixture
def world(tmp_path):
    return tmp_path, make_reference_world(tmp_path)


def test_all_positions_of_all_pairs(world):
    root, records = world
    for serialize in (False, True):
        dataset = build(root, serialize_data=serialize)
        assert [len(points) for _, points in contents(dataset)] == [6, 0, 7]
        assert_same(dataset, naive(records))


def test_both_directions_as_the_pairs(world):
    root, _ = world
    dataset = build(root, both_directions=True)
    pairs = CorrespondenceDataset(
        'list.txt',
        str(root),
        pipeline=[dict(type='LoadCorrespondences')],
        both_directions=True,
    )
    expected = defaultdict(list)
    for pair in pairs:
        path = pair['img_path'].split('/images/')[1]
        expected[path] += pair['points'].tolist()
    assert set(expected) == {
        f's/{p}.png' for p in ('ref/z', 'ref/a', 'ref/e', 'snow/b', 'rain/c')
    }
    assert_same(
        dataset,
        {
            path: np.array(points, np.float32).reshape(-1, 2)
            for path, points in expected.items()
        },
    )


@pytest.mark.parametrize(
    'names',
    [
        ['s/ref/z.png', 's/ref/a.png'],
        ['s/ref/z', 's/ref/a'],
        ['s_z.png', 's_a.png'],
        ['s_z', 's_a', 's_z'],
        ['images/s/ref/z.jpg', 's\\ref\\a.png'],
    ],
)
def test_reference_image_names(world, names):
    root, records = world
    (root / 'names.txt').write_text('\n'.join(names))
    dataset = build(root, reference_image_names='names.txt')
    expected = naive(records)
    del expected['s/ref/e.png']
    assert_same(dataset, expected)


def test_reference_image_without_pair(world):
    root, records = world
    (root / 'names.txt').write_text('s/rain/c.png\ns_nowhere\ns_a\n')
    dataset = build(root, reference_image_names='names.txt')
    expected = {
        's/ref/a.png': naive(records)['s/ref/a.png'],
        's/rain/c.png': np.zeros((0, 2), np.float32),
    }
    assert_same(dataset, expected)
    (root / 'names.txt').write_text('s_nowhere\n')
    with pytest.raises(ValueError, match=r'`reference_image_names`.*nowhere'):
        build(root, reference_image_names='names.txt')
    with pytest.raises(FileNotFoundError, match=r'none\.txt'):
        build(root, reference_image_names='none.txt')


def test_broken_pair_file_is_named(world):
    root, _ = world
    (root / 'correspondence_data/a1.mat').write_text('broken')
    with pytest.raises(ValueError, match=r'a1\.mat'):
        build(root)


def test_pipeline_of_single_images(world):
    root, _ = world
    dataset = DATASETS.build(
        dict(
            type='ReferenceImageDataset',
            ann_file='list.txt',
            data_root=str(root),
            lazy_init=True,
            indices=[2, 1],
            pipeline=[
                dict(type='LoadImagePair'),
                dict(type='ResizePair', short_side=66),
                dict(type='PackPairInputs'),
            ],
        )
    )
    packed = dataset[0]
    assert packed['inputs'].shape == (3, 66, 94)
    assert packed['inputs'].dtype == torch.uint8
    sample = packed['data_samples']
    assert sample.img_path.endswith('s/ref/z.png')
    points = dataset.get_data_info(0)['points']
    np.testing.assert_allclose(
        sample.points, (points + 0.5) * 2 - 0.5, atol=1e-5
    )
    assert dataset[1]['data_samples'].points.shape == (0, 2)


def test_real_files(sacre_coeur, tmp_path):
    dataset = ReferenceImageDataset(
        'corr_train.txt', str(sacre_coeur), cache_dir=str(tmp_path)
    )
    names = (sacre_coeur / 'corr_train.txt').read_text().split()
    folder = sacre_coeur / 'correspondence_data'
    records = {name: read_pair_file(folder / name) for name in names}
    assert_same(dataset, naive(records))
    assert len(dataset) == 8
