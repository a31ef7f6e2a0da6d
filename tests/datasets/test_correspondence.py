from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmseg.registry import DATASETS, MODELS
from pair_worlds import make_world
from torch.utils.data import DataLoader

from fgsn_mmseg.datasets import (
    CMUCorrespondenceDataset,
    CorrespondenceDataset,
    RobotCarCorrespondenceDataset,
)

PAIRS = [
    ('a--b.mat', 's/ref/a.png', 's/snow/b.png'),
    ('b--a.mat', 's/snow/b.png', 's/ref/a.png'),
    ('a--c.mat', 's/ref/a.png', 's/rain/c.png'),
    ('corr_7.mat', 's/ref/d.png', 's/rain/c.png'),
]
LOAD = [dict(type='LoadCorrespondences'), dict(type='LoadImagePair')]
PIPELINE = [
    *LOAD,
    dict(type='ResizePair', short_side=32),
    # Each image on its own, by mmcv's wrapper.
    dict(
        type='TransformBroadcaster',
        mapping=dict(img=['img', 'img2']),
        auto_remap=True,
        share_random_params=False,
        transforms=[dict(type='PhotoMetricDistortion')],
    ),
    dict(type='RandomCropPair', crop_size=(25, 33)),
    dict(type='RandomFlipPair'),
    dict(type='PackPairInputs'),
]


@pytest.fixture
def world(tmp_path):
    records = make_world(tmp_path, PAIRS, points={'a--c.mat': 0})
    names = [name for name, _, _ in PAIRS]
    (tmp_path / 'train.txt').write_text('\n'.join(names) + '\n\n')
    return tmp_path, records


def listed(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i['corr_path'].rsplit('/', 1)[1], i['swap']) for i in infos]


def test_list_order_and_both_directions(world):
    root, _ = world
    kwargs = dict(ann_file='train.txt', data_root=str(root))
    names = [name for name, _, _ in PAIRS]
    dataset = CorrespondenceDataset(**kwargs)
    assert listed(dataset) == [(name, False) for name in names]
    dataset = CorrespondenceDataset(**kwargs, both_directions=True)
    assert listed(dataset) == [
        ('a--b.mat', False),
        ('b--a.mat', False),
        ('a--c.mat', False),
        ('a--c.mat', True),
        ('corr_7.mat', False),
        ('corr_7.mat', True),
    ]


def test_without_list_all_files_sorted(world):
    root, _ = world
    (root / 'correspondence_data' / 'readme.txt').write_text('no pair')
    dataset = CorrespondenceDataset(data_root=str(root))
    assert [name for name, _ in listed(dataset)] == sorted(
        name for name, _, _ in PAIRS
    )


def test_swap_changes_everything_but_the_weights(world):
    root, records = world
    (root / 'one.txt').write_text('corr_7.mat')
    dataset = CorrespondenceDataset(
        'one.txt', str(root), pipeline=LOAD, both_directions=True
    )
    record = records['corr_7.mat']
    straight, swapped = dataset[0], dataset[1]
    assert straight['img_path'] == f'{root}/images/s/ref/d.png'
    assert swapped['img_path2'] == straight['img_path']
    assert swapped['img_path'] == f'{root}/images/s/rain/c.png'
    for first, second in (('', '2'), ('2', '')):
        points = record[f'points{first}'].astype(np.float32)
        np.testing.assert_array_equal(straight[f'points{first}'], points)
        np.testing.assert_array_equal(swapped[f'points{second}'], points)
        assert straight[f'points{first}'].dtype == np.float32
        np.testing.assert_array_equal(
            straight[f'img{first}'], swapped[f'img{second}']
        )
    expected = np.exp(-record['dist_from_center']).astype(np.float32)
    for results in (straight, swapped):
        np.testing.assert_array_equal(results['point_weights'], expected)
        assert results['ori_shape'] == results['img_shape2'] == (40, 60)


@pytest.mark.parametrize('serialize', [True, False])
def test_lazy_indices_and_serialization(world, serialize):
    root, _ = world
    dataset = CorrespondenceDataset(
        'train.txt',
        str(root),
        indices=[2, 0],
        lazy_init=True,
        serialize_data=serialize,
        pipeline=LOAD,
    )
    assert not dataset._fully_initialized
    dataset.full_init()
    assert listed(dataset) == [('a--c.mat', False), ('a--b.mat', False)]
    assert dataset[0]['points'].shape == (0, 2)
    assert len(CorrespondenceDataset('train.txt', str(root), indices=3)) == 3


def test_repeated_names_count_once(world):
    root, _ = world
    (root / 'twice.txt').write_text('a--b.mat\ncorr_7.mat\na--b.mat\n')
    dataset = CorrespondenceDataset('twice.txt', str(root))
    assert listed(dataset) == [('a--b.mat', False), ('corr_7.mat', False)]


def test_concat_of_both_published_sets(world):
    root, _ = world
    part = dict(ann_file='train.txt', data_root=str(root))
    joined = DATASETS.build(
        dict(
            type='ConcatDataset',
            datasets=[
                dict(type='CMUCorrespondenceDataset', **part, pipeline=LOAD),
                dict(
                    type='RobotCarCorrespondenceDataset',
                    **part,
                    pipeline=LOAD,
                    both_directions=True,
                ),
            ],
        )
    )
    assert len(joined) == 4 + 6
    assert isinstance(joined.datasets[0], CMUCorrespondenceDataset)
    assert isinstance(joined.datasets[1], RobotCarCorrespondenceDataset)
    assert joined[7]['img_path'].endswith('s/rain/c.png')


def test_errors_say_what_is_missing(world):
    root, _ = world
    with pytest.raises(FileNotFoundError, match=r'none\.txt'):
        CorrespondenceDataset('none.txt', str(root))
    with pytest.raises(FileNotFoundError, match=r'correspondence_data.*root'):
        CorrespondenceDataset('train.txt', str(root / 'images'))
    with pytest.raises(FileNotFoundError, match=r"\['img_path'\].*pictures"):
        CorrespondenceDataset(
            'train.txt', str(root), data_prefix=dict(img_path='pictures')
        )
    (root / 'wrong.txt').write_text('a--b.mat\nx.mat\ny.mat\n')
    with pytest.raises(FileNotFoundError, match=r"2 of the 3.*'x\.mat'"):
        CorrespondenceDataset('wrong.txt', str(root))
    (root / 'empty.txt').write_text('\n')
    with pytest.raises(ValueError, match=r'at least one pair.*empty\.txt'):
        CorrespondenceDataset('empty.txt', str(root))


def test_missing_and_broken_images_are_named(world):
    root, _ = world
    dataset = CorrespondenceDataset('train.txt', str(root), pipeline=LOAD)
    (root / 'images/s/snow/b.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'img_path2.*b\.png.*a--b\.mat'):
        dataset[0]
    (root / 'images/s/snow/b.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'b\.png.*a--b\.mat'):
        dataset[0]


def test_images_with_another_suffix_are_found(world):
    root, _ = world
    expected = CorrespondenceDataset('train.txt', str(root), pipeline=LOAD)[0]
    image = root / 'images/s/snow/b.png'
    image.rename(image.with_suffix('.JPG'))  # still a PNG inside
    found = CorrespondenceDataset('train.txt', str(root), pipeline=LOAD)[0]
    assert found['img_path2'] == str(image.with_suffix('.JPG'))
    np.testing.assert_array_equal(found['img2'], expected['img2'])
    (root / 'images/s/snow/b.jpg').write_bytes(b'')
    with pytest.raises(FileNotFoundError, match=r'b\.png.*b\.jpg.*b\.JPG'):
        CorrespondenceDataset('train.txt', str(root), pipeline=LOAD)[0]


def test_lists_and_folders_of_other_systems(world):
    root, _ = world
    folder = root / 'correspondence_data'
    (folder / '._a--b.mat').write_bytes(b'of macOS')
    assert len(CorrespondenceDataset('', str(root))) == len(PAIRS)
    lines = [f'correspondence_data\\{name}' for name, _, _ in PAIRS]
    (root / 'train.txt').write_bytes('\r\n'.join(lines).encode('utf-16'))
    dataset = CorrespondenceDataset('train.txt', str(root))
    assert listed(dataset) == [(name, False) for name, _, _ in PAIRS]


def test_loader_with_workers_to_model_input(world):
    root, _ = world
    dataset = DATASETS.build(
        dict(
            type='CorrespondenceDataset',
            ann_file='train.txt',
            data_root=str(root),
            pipeline=PIPELINE,
            both_directions=True,
        )
    )
    loader = DataLoader(
        dataset, batch_size=2, num_workers=2, collate_fn=pseudo_collate
    )
    preprocess = MODELS.build(
        dict(type='PairDataPreProcessor', mean=[0.0] * 3, std=[1.0] * 3)
    )
    seen = 0
    for batch in loader:
        out = preprocess(batch, training=True)
        for key in ('img', 'img2'):
            assert out['inputs'][key].shape == (2, 3, 25, 33)
        for sample in out['data_samples']:
            count = len(sample.points)
            assert sample.points.shape == sample.points2.shape == (count, 2)
            assert sample.point_weights.shape == (count,)
            assert sample.points.dtype == torch.float32
            assert ('a--c' in sample.corr_path) == (count == 0)
            seen += 1
    assert seen == len(dataset) == 6


def test_real_pairs(sacre_coeur):
    dataset = DATASETS.build(
        dict(
            type='CorrespondenceDataset',
            ann_file='corr_train.txt',
            data_root=str(sacre_coeur),
            pipeline=PIPELINE,
        )
    )
    assert len(dataset) == 46
    np.random.seed(0)
    for index in (0, 17, 45):
        packed = dataset[index]
        sample = packed['data_samples']
        assert packed['inputs']['img'].shape == (3, 25, 33)
        assert packed['inputs']['img'].dtype == torch.uint8
        # The crop lies around a correspondence: that one is always inside.
        assert len(sample.points) >= 1
        for points in (sample.points, sample.points2):
            assert (points >= -0.5).all()
            assert (points < torch.tensor([32.5, 24.5])).all()
