from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np
import pytest
from mmseg.datasets import BaseSegDataset, CityscapesDataset

from fgsn_mmseg.datasets import (
    CorrespondenceDataset,
    LoadCorrespondences,
    LoadImagePair,
    ReferenceImageDataset,
)
from town import generate_world, settings_for
from town.settings import CONDITIONS, TRAVERSALS

SMALL = settings_for('tiny', width=48, height=36, places=1, val_streets=0)


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.md5(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob('*'))
        if path.is_file()
    }


def lines(path):
    return path.read_text().splitlines()


@pytest.fixture(scope='module')
def small_world(tmp_path_factory):
    return generate_world(tmp_path_factory.mktemp('small'), SMALL)


def test_same_bytes_with_any_number_of_workers(small_world, tmp_path):
    calls = []
    other = generate_world(
        tmp_path / 'new', SMALL, 3, lambda *a: calls.append(a)
    )
    assert digests(other) == digests(small_world)
    assert calls == [(i, 7) for i in range(1, 8)]
    assert not list(other.rglob('*.partial'))


def test_another_seed_is_another_town(small_world, tmp_path):
    other = generate_world(tmp_path, replace(SMALL, seed=1))
    mine, yours = digests(small_world), digests(other)
    assert mine.keys() == yours.keys()
    same = [k for k in mine if mine[k] == yours[k]]
    assert not [k for k in same if k.endswith(('.jpg', '.mat', '.npz'))]


def test_a_run_that_was_cut_off_goes_on(small_world, tmp_path):
    root = tmp_path / 'cut'
    generate_world(root, SMALL)
    whole = digests(root)
    lost = [
        path
        for path in sorted(root.rglob('*'))
        if path.is_file() and ('_rain' in path.name or 'corr_' in path.name)
    ]
    assert len(lost) >= 4
    kept = root / 'images/street000/summer/s000_p000_summer.jpg'
    before = kept.stat().st_mtime_ns
    for path in lost:
        path.unlink()
    generate_world(root, SMALL)
    assert digests(root) == whole == digests(small_world)
    assert kept.stat().st_mtime_ns == before


def test_a_folder_with_other_settings_is_refused(small_world):
    with pytest.raises(ValueError, match=r"other values of \['seed'\]"):
        generate_world(small_world, replace(SMALL, seed=5))


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(width=8), '`width` should be at least 32, but got 8'),
        (dict(wrong_share=1.5), '`wrong_share` should be in 0..1'),
        (dict(places=0), '`places` should be at least 1'),
    ],
)
def test_impossible_settings(change, message):
    with pytest.raises(ValueError, match=message):
        settings_for('tiny', **change)


def test_unknown_size_and_workers(tmp_path):
    with pytest.raises(ValueError, match='`size` should be one of'):
        settings_for('huge')
    with pytest.raises(ValueError, match='`workers` should be at least 1'):
        generate_world(tmp_path, SMALL, workers=0)


def test_training_and_validation_are_separate_places(tiny, tiny_world):
    train = lines(tiny_world / 'corr_train.txt')
    val = lines(tiny_world / 'corr_val.txt')
    assert len(train) == len(val) == 12
    files = {p.name for p in (tiny_world / 'correspondence_data').iterdir()}
    assert {*train, *val} == files and not {*train} & {*val}
    assert {n[:4] for n in train} == {'s000'}
    assert {n[:4] for n in val} == {'s001'}
    per_traversal = [
        lines(tiny_world / f'lists/corr_val_{t.name}.txt')
        for t in TRAVERSALS[1:]
    ]
    assert Counter(chain(*per_traversal)) == Counter(val)
    # The two streets are far apart: no point is seen from both.
    xyz = np.loadtxt(tiny_world / 'colmap/points3D.txt', usecols=(0, 1, 2, 3))
    first = xyz[xyz[:, 0] < 1_000_000]
    second = xyz[xyz[:, 0] > 1_000_000]
    assert first[:, 2].max() + 50 < second[:, 2].min()


def test_our_dataset_classes_read_it(tiny, tiny_world):
    root = str(tiny_world)
    pairs = CorrespondenceDataset(
        'corr_train.txt',
        root,
        pipeline=[LoadCorrespondences(), LoadImagePair()],
    )
    assert len(pairs) == 12
    for sample in pairs:
        assert sample['img'].shape == sample['img2'].shape == (96, 128, 3)
        assert 20 < len(sample['points']) <= tiny.max_points
    references = ReferenceImageDataset('corr_train.txt', root, lazy_init=True)
    listed = lines(tiny_world / 'reference_image_names.txt')
    assert len(listed) == 2
    assert references.ann_file.endswith('corr_train.txt')


@pytest.mark.parametrize('cls', [BaseSegDataset, CityscapesDataset])
def test_datasets_of_mmseg_read_it(tiny_world, cls):
    dataset = cls(
        data_root=str(tiny_world),
        ann_file='lists/seg_val_summer.txt',
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        img_suffix='.jpg',
        seg_map_suffix='_labelTrainIds.png',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
        ],
    )
    assert len(dataset) == 2
    sample = dataset[0]
    assert sample['gt_seg_map'].shape == sample['img'].shape[:2] == (96, 128)
    found = set(np.unique(sample['gt_seg_map']))
    assert {0, 2, 10} <= found <= {*range(19)}


def test_every_condition_and_every_class_is_there(tiny, tiny_world):
    assert len(CONDITIONS) == 6
    rows = [row.split() for row in lines(tiny_world / 'lists/conditions.txt')]
    assert {row[2] for row in rows} == set(CONDITIONS)
    labels = [
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        for path in (tiny_world / 'labels').rglob('*.png')
    ]
    assert len(labels) == len(rows) == 28
    found = set(np.unique(labels))
    assert found >= {0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 13}
    # First and third component name an image alone.
    names = {(row[0].split('/')[0], row[0].split('/')[2]) for row in rows}
    assert len(names) == 28


def test_the_command_line(small_world, tmp_path, call):
    args = '--size tiny --width 48 --height 36 --places 1 --val-streets 0'
    out = tmp_path / 'town'
    done = call('render.py', out, *args.split(), '--workers', 1)
    assert done.code is None
    assert digests(out) == digests(small_world)
    assert '7/7' in done.err
    done = call('render.py', out, '--size', 'tiny', '--seed', 9)
    assert done.code.startswith('error: `settings` should be those')
    done = call('render.py', tmp_path / 'x', '--wrong-share', 2)
    assert done.code.startswith('error: `wrong_share` should be in')


def test_help_names_the_defaults(call):
    done = call('render.py', '--help')
    assert done.code == 0
    assert '(default: study)' in done.out and '--workers' in done.out
