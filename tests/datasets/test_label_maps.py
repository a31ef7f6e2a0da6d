"""Label maps as ground truth of mmseg's own training."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmseg.registry import DATASETS, TRANSFORMS

from fgsn_mmseg.datasets import (
    LabelMapDataset,
    cluster_palette,
    write_label_map,
)

LOAD = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='LoadLabelMap'),
]


def make_set(root, sizes=((5, 7), (8, 6)), num_clusters=300):
    """Images a.jpg, s/b.png and maps with ids around 255 and -1."""
    for i, (name, size) in enumerate(zip(('a.jpg', 's/b.png'), sizes)):
        path = root / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((*size, 3), 90, np.uint8))
        labels = np.full(size, 255)
        labels[0, :3] = -1, num_clusters - 1, i
        target = (root / 'label_maps' / name).with_suffix('.png')
        write_label_map(str(target), labels)
    return root


def test_labels_beyond_eight_bits(tmp_path):
    dataset = DATASETS.build(
        dict(
            type='LabelMapDataset',
            num_clusters=300,
            data_root=str(make_set(tmp_path)),
            pipeline=LOAD,
        )
    )
    assert len(dataset) == 2
    assert dataset.metainfo['classes'] == tuple(map(str, range(300)))
    assert dataset.metainfo['palette'] == cluster_palette(300).tolist()
    sample = dataset[1]
    assert sample['img_path'] == str(tmp_path / 'images/s/b.png')
    assert sample['gt_seg_map'].dtype == np.uint16
    assert sample['gt_seg_map'].shape == (8, 6)
    assert sample['gt_seg_map'][0].tolist() == [65535, 299, 1, 255, 255, 255]
    assert sample['seg_fields'] == ['gt_seg_map']


def test_geometry_of_mmseg_keeps_the_labels(tmp_path):
    root = make_set(tmp_path, ((40, 60), (40, 60)))
    pipeline = [
        *LOAD,
        dict(type='Resize', scale=(90, 60)),
        dict(type='RandomCrop', crop_size=(70, 80), ignore_index=65535),
        dict(type='RandomFlip', prob=1.0),
        dict(
            type='Pad',
            size=(90, 70),  # width, height
            pad_val=dict(img=0, seg=65535),
        ),
        dict(type='PackSegInputs'),
    ]
    dataset = LabelMapDataset(300, data_root=str(root), pipeline=pipeline)
    labels = dataset[0]['data_samples'].gt_sem_seg.data
    assert labels.shape == (1, 70, 90)
    assert set(labels.unique().tolist()) <= {0, 255, 299, 65535}
    assert (labels == 255).float().mean() > 0.7


def test_list_and_prediction_without_maps(tmp_path):
    root = make_set(tmp_path)
    (root / 'train.txt').write_text('s/b.png\n')
    dataset = LabelMapDataset(300, 'train.txt', str(root))
    assert [s['img_path'] for s in dataset] == [f'{root}/images/s/b.png']
    dataset = LabelMapDataset(
        300, data_root=str(root), data_prefix=dict(img_path='images')
    )
    assert len(dataset) == 2 and 'seg_map_path' not in dataset[0]


def test_what_does_not_fit_is_named(tmp_path):
    root = make_set(tmp_path)
    path = root / 'label_maps/a.png'
    kept = path.read_bytes()

    def load(**changes):
        dataset = LabelMapDataset(
            **{'num_clusters': 300, 'data_root': str(root), **changes}
        )
        return Compose(LOAD)(dataset.get_data_info(0))

    load()
    with pytest.raises(ValueError, match=r'`num_clusters`.*299 in .*a\.png'):
        load(num_clusters=299)
    cv2.imwrite(str(path), np.zeros((5, 7), np.uint8))
    with pytest.raises(ValueError, match=r'16-bit.*uint8 \(5, 7\).*a\.png'):
        load()
    write_label_map(str(path), np.zeros((7, 5), int))
    with pytest.raises(ValueError, match=r'\(5, 7\).*\(7, 5\) in .*a\.png'):
        load()
    path.write_bytes(b'')
    with pytest.raises(ValueError, match=r'no image.*a\.png'):
        load()
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 2 .*a\.png'):
        load()
    path.write_bytes(kept)
    for wrong in (20.0, 'x'):
        with pytest.raises(ValueError, match='`num_clusters`'):
            load(num_clusters=wrong)
    with pytest.raises(ValueError, match='`num_clusters`'):
        load(num_clusters=0)
    assert repr(TRANSFORMS.build(LOAD[1])) == 'LoadLabelMap()'
