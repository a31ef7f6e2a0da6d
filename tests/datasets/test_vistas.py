from __future__ import annotations

import numpy as np
import pytest
from miniature_trees import make_cityscapes, make_vistas, save
from mmseg.registry import DATASETS
from PIL import Image

from fgsn_mmseg.datasets.vistas_conversion import (
    convert_file,
    convert_label_map,
    convert_vistas,
)

# Vistas v1 label -> train id, worked out by hand over the Cityscapes ids.
EXPECTED = {
    3: 4, 6: 3, 8: 0, 13: 0, 14: 0, 15: 1, 17: 2, 19: 11, 20: 12, 21: 12,
    22: 12, 23: 0, 24: 0, 27: 10, 29: 9, 30: 8, 44: 5, 45: 5, 47: 5, 48: 6,
    50: 7, 52: 18, 54: 15, 55: 13, 57: 17, 58: 16, 61: 14,
}  # fmt: skip
PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


def test_every_label():
    converted = convert_label_map(np.arange(66, dtype=np.uint8)[None])[0]
    assert converted.dtype == np.uint8
    assert converted.tolist() == [EXPECTED.get(i, 255) for i in range(66)]


@pytest.mark.parametrize('labels', ['labels', 'v1.2/labels'])
def test_convert_and_read(tmp_path, labels):
    root = make_vistas(tmp_path, labels=labels)
    assert convert_vistas(str(root), 'training', nproc=2) == (3, 3)
    dataset = DATASETS.build(
        dict(
            type='VistasCityscapesDataset',
            data_root=str(root),
            pipeline=PIPELINE,
        )
    )
    assert len(dataset) == 3
    for sample in dataset:
        name = sample['img_path'].split('/')[-1].replace('.jpg', '.png')
        with Image.open(root / 'training' / labels / name) as image:
            assert image.mode == 'P'
            ids = np.asarray(image)
        expected = np.vectorize(lambda i: EXPECTED.get(i, 255))(ids)
        np.testing.assert_array_equal(sample['gt_seg_map'], expected)


def test_a_second_run_does_what_is_missing(tmp_path):
    root = make_vistas(tmp_path)
    convert_vistas(str(root), 'validation', nproc=1)
    written = sorted((root / 'validation/labels').glob('*_labelTrainIds.png'))
    written[1].unlink()
    before = written[0].stat().st_mtime_ns
    assert convert_vistas(str(root), 'validation', nproc=1) == (1, 3)
    assert written[0].stat().st_mtime_ns == before
    assert convert_vistas(str(root), 'validation', nproc=1) == (0, 3)
    done = convert_vistas(str(root), 'validation', nproc=1, overwrite=True)
    assert done == (3, 3)


def test_what_macos_adds_is_left_alone(tmp_path):
    root = make_vistas(tmp_path)
    (root / 'validation/labels/._a.png').write_bytes(b'of macOS')
    assert convert_vistas(str(root), 'validation', nproc=1) == (3, 3)


def test_a_broken_label_map_leaves_nothing(tmp_path):
    source = tmp_path / 'labels' / 'x.png'
    save(source, np.full((4, 5), 66, np.uint8))
    target = tmp_path / 'out' / 'x_labelTrainIds.png'
    with pytest.raises(ValueError, match=r'x\.png.*0\.\.65, but got 66'):
        convert_file(str(source), str(target))
    save(source, np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(ValueError, match='should be \\(H, W\\) uint8'):
        convert_file(str(source), str(target))
    source.write_bytes(source.read_bytes()[:40])
    with pytest.raises(ValueError, match=r'x\.png'):
        convert_file(str(source), str(target))
    assert not list(target.parent.glob('*'))


def test_joined_with_cityscapes(tmp_path):
    vistas = make_vistas(tmp_path)
    cityscapes = make_cityscapes(tmp_path)
    convert_vistas(str(vistas), 'training', nproc=1)
    prefix = dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train')
    joined = DATASETS.build(
        dict(
            type='ConcatDataset',
            datasets=[
                dict(
                    type='CityscapesDataset',
                    data_root=str(cityscapes),
                    data_prefix=prefix,
                    pipeline=PIPELINE,
                ),
                dict(
                    type='VistasCityscapesDataset',
                    data_root=str(vistas),
                    pipeline=PIPELINE,
                ),
            ],
        )
    )
    assert len(joined) == 5
    assert {s['gt_seg_map'].dtype for s in joined} == {np.dtype('uint8')}


def test_unconverted_labels_are_refused(tmp_path):
    root = make_vistas(tmp_path)
    with pytest.raises(FileNotFoundError, match='vistas_to_cityscapes'):
        DATASETS.build(
            dict(type='VistasCityscapesDataset', data_root=str(root))
        )
    with pytest.raises(FileNotFoundError, match='Unpack Vistas v1'):
        DATASETS.build(
            dict(type='VistasCityscapesDataset', data_root='nowhere')
        )
    with pytest.raises(ValueError, match='`split` should be'):
        DATASETS.build(dict(type='VistasCityscapesDataset', split='testing'))
