from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
from mmengine.runner import Runner
from tiny_runs import CROP, make_pairs, run_config

from fgsn_mmseg.datasets import HomographyPairDataset, RandomHomographyPair


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for name in ('a.png', 'b/c.jpg', 'b/notes.txt'):
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith('txt'):
            path.write_text('no image')
        else:
            blocks = rng.integers(0, 256, (9, 13, 3), np.uint8)
            photo = cv2.resize(blocks, (104, 72), interpolation=0)
            cv2.imwrite(str(path), photo)
    return tmp_path / 'photos'


PIPELINE = [dict(type='LoadImagePair'), dict(type='RandomHomographyPair')]


def test_points_show_the_same_thing_in_both_images(photos):
    # Smooth, so that half a pixel off does not matter but three do.
    x, y = np.meshgrid(np.arange(104), np.arange(72))
    img = np.stack([x * 2, y * 3, 255 - x * 2], -1).astype(np.uint8)
    np.random.seed(0)
    for _ in range(5):
        pair = RandomHomographyPair(num_points=300)(dict(img=img))
        points, points2 = pair['points'], pair['points2']
        assert pair['img2'].shape == img.shape and len(points) > 100
        assert points.dtype == np.float32
        assert len(pair['point_weights']) == len(points) == len(points2)
        low, high = points2.min(0), points2.max(0)
        assert (low >= 0).all() and (high <= [103, 71]).all()
        there = cv2.remap(
            pair['img2'], points2[:, :1], points2[:, 1:], cv2.INTER_LINEAR
        )[:, 0].astype(float)
        wanted = np.column_stack([points[:, 0] * 2, points[:, 1] * 3])
        error = np.abs(there[:, :2] - wanted).max(1)
        # At the border the warped image is mixed with black.
        inner = ((points > 2) & (points < [101, 69])).all(1)
        assert error[inner].max() < 4
        assert np.abs(points - points2).mean() > 2


def test_a_seed_gives_the_same_pairs_again(photos):
    pipeline = [PIPELINE[0], dict(type='RandomHomographyPair', seed=3)]
    dataset = HomographyPairDataset(data_root=str(photos), pipeline=pipeline)
    first, again, other = dataset[0], dataset[0], dataset[1]
    np.testing.assert_array_equal(first['points2'], again['points2'])
    assert not np.array_equal(first['points2'][:20], other['points2'][:20])


def test_lists_all_images_or_those_of_a_list(photos):
    dataset = HomographyPairDataset(data_root=str(photos), pipeline=PIPELINE)
    assert len(dataset) == 2
    assert dataset[1]['img_path2'] == str(photos / 'b/c.jpg')
    (photos / 'list.txt').write_text('b/c.jpg\n')
    listed = HomographyPairDataset('list.txt', str(photos))
    assert [d['img_path'] for d in (listed.get_data_info(0),)] == [
        str(photos / 'b/c.jpg')
    ]
    (photos / 'list.txt').write_text('b/c.jpg\nx.jpg\n')
    with pytest.raises(FileNotFoundError, match='1 of 2 are not there'):
        HomographyPairDataset('list.txt', str(photos))


def test_bad_folders_and_numbers(photos):
    with pytest.raises(FileNotFoundError, match='which is not there'):
        HomographyPairDataset(data_root=str(photos / 'none'))
    (photos / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='without any file'):
        HomographyPairDataset(data_root=str(photos / 'empty'))
    (photos / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='should list images'):
        HomographyPairDataset('list.txt', str(photos))
    for change in (
        dict(shift=0.25),
        dict(num_points=0),
        dict(scale_range=(1.2, 0.8)),
    ):
        with pytest.raises(ValueError, match=f'`{next(iter(change))}`'):
            RandomHomographyPair(**change)


def test_trains_on_single_images(tmp_path):
    root = make_pairs(tmp_path / 'data')
    config = run_config(root, tmp_path / 'run', max_iters=2)
    folder = dict(type='HomographyPairDataset', data_root=str(root / 'images'))
    crop = dict(type='RandomCropPair', crop_size=CROP)
    pack = dict(type='PackPairInputs')
    config.train_dataloader.dataset = dict(
        folder, pipeline=[*PIPELINE, crop, pack]
    )
    config.val_dataloader = config.val_cfg = config.val_evaluator = None
    hook = config.custom_hooks[0]
    assert hook.dataloader.dataset.type == 'ReferenceImageDataset'
    hook.fraction = 1.0
    hook.dataloader.dataset = dict(folder, pipeline=[PIPELINE[0], pack])
    # The pairs of the world are not there any more.
    shutil.rmtree(root / 'correspondence_data')
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
