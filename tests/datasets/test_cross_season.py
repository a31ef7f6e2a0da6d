from __future__ import annotations

import shutil

import numpy as np
import pytest
from miniature_trees import make_seasons
from mmseg.registry import DATASETS
from PIL import Image

from fgsn_mmseg.datasets.label_ids import CITYSCAPES_TRAIN_IDS

# Written out from the Cityscapes table, id 0 to 33.
TRAIN_IDS = (
    [255] * 7
    + [0, 1, 255, 255, 2, 3, 4, 255, 255, 255, 5, 255]
    + [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255, 255, 16, 17, 18]
)
PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


def build(name, root, **kwargs):
    names = {'CMU': 'CMUSeasonsDataset', 'ROBOTCAR': 'RobotCarSeasonsDataset'}
    return DATASETS.build(
        dict(
            type=names[name], data_root=str(root), pipeline=PIPELINE, **kwargs
        )
    )


def test_table():
    assert [CITYSCAPES_TRAIN_IDS[i] for i in range(34)] == TRAIN_IDS
    assert len(CITYSCAPES_TRAIN_IDS) == 34


@pytest.mark.parametrize('name', ['CMU', 'ROBOTCAR'])
@pytest.mark.parametrize('split', ['training', 'validation', 'testing'])
def test_annotations_become_train_ids(tmp_path, name, split):
    root = make_seasons(tmp_path, name)
    dataset = build(name, root, split=split)
    assert len(dataset) == 2
    assert len(dataset.metainfo['classes']) == 19
    assert len(dataset.metainfo['palette']) == 19
    for sample in dataset:
        assert sample['img'].shape == (48, 64, 3)
        with Image.open(sample['seg_map_path']) as image:
            ids = np.asarray(image)
        expected = np.empty_like(ids)
        for row, column in np.ndindex(*ids.shape):
            expected[row, column] = TRAIN_IDS[ids[row, column]]
        np.testing.assert_array_equal(sample['gt_seg_map'], expected)
        assert f'/{split}/annos/' in sample['seg_map_path']


def test_ids_that_are_no_label_are_ignored(tmp_path):
    root = make_seasons(tmp_path, 'CMU')
    dataset = build('CMU', root)
    path = dataset.get_data_info(0)['seg_map_path']
    # 255 is how -1, the licence plate, looks in 8 bits.
    Image.fromarray(np.array([[255, 7], [33, 0]], np.uint8)).save(path)
    seg_map = dataset[0]['gt_seg_map']
    assert seg_map.tolist() == [[255, 0], [18, 255]]


def test_some_of_the_classes(tmp_path):
    root = make_seasons(tmp_path, 'CMU')
    dataset = build('CMU', root, metainfo=dict(classes=('sky', 'road')))
    path = dataset.get_data_info(0)['seg_map_path']
    Image.fromarray(np.array([[7, 23, 8]], np.uint8)).save(path)
    assert dataset[0]['gt_seg_map'].tolist() == [1, 0, 255]
    assert dataset.metainfo['palette'] == [[70, 130, 180], [128, 64, 128]]


def test_wrong_split():
    with pytest.raises(ValueError, match='`split` should be one of'):
        build('CMU', 'anywhere', split='train')


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        build('ROBOTCAR', tmp_path / 'ROBOTCAR')
    text = str(error.value)
    assert '\n' not in text
    assert 'segmented_images_201810/training/imgs' in text
    assert 'visuallocalization.net' in text


def test_missing_annotation(tmp_path):
    root = make_seasons(tmp_path, 'CMU')
    (root / 'segmented_images/testing/annos/testing_001.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 2 without.*_001\.png'):
        build('CMU', root, split='testing')


def test_empty_folder(tmp_path):
    root = make_seasons(tmp_path, 'CMU')
    folder = root / 'segmented_images/testing/imgs'
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match='without any'):
        build('CMU', root, split='testing')


@pytest.mark.parametrize('key', ['img_path', 'seg_map_path'])
@pytest.mark.parametrize('data', [b'', b'no image'])
def test_broken_files_are_named(tmp_path, key, data):
    dataset = build('CMU', make_seasons(tmp_path, 'CMU'))
    path = dataset.get_data_info(0)[key]
    with open(path, 'wb') as file:
        file.write(data)
    with pytest.raises(ValueError, match='Fetch the files again') as caught:
        dataset[0]
    text = str(caught.value)
    assert path in text and '\n' not in text
    assert dataset[1]['img'].shape == (48, 64, 3)
