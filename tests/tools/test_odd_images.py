"""Odd images through training, clustering and labelling of a folder.

`PYTHONPATH=.:tests python tests/tools/test_odd_images.py` prints the table of
docs/reliability.md.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import odd_images
import pytest
import torch
from miniature_training import tiny_network
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.apis import label_images, load_segmentor
from fgsn_mmseg.datasets import read_label_map, write_pair_file

PACK = dict(type='PackPairInputs')
CROP = (40, 50)


def attempt(pipeline, sample, path, key=None):
    """What a pipeline makes of a sample: RGB, or the text of its error."""
    try:
        inputs = Compose(pipeline)(sample)['inputs']
    except Exception as error:
        text = str(error)
        if str(path) not in text or '\n' in text:
            return f'without path: {text[:60]}'
        return text
    image = inputs if key is None else inputs[key]
    return image.numpy().transpose(1, 2, 0)[..., ::-1]


def as_stored(path):
    """Clustering reads single images; here at the size that they have."""
    load = [dict(type='LoadImagePair'), dict(type='ResizePair')]
    sample = dict(img_path=str(path))
    full = attempt([load[0], PACK], dict(sample), path)
    if isinstance(full, str):
        return full
    large = attempt([*load, PACK], dict(sample), path)
    return large if isinstance(large, str) else full


def of_a_pair(path):
    """Training: the crop around a point, next to an ordinary image."""
    stem = path.parents[1] / 'pairs' / path.name
    stem.parent.mkdir(exist_ok=True)
    size = np.array([odd_images.WIDTH, odd_images.HEIGHT])
    points = np.array([[0.0, 0.0], *(size * [[0.3, 0.4], [0.7, 0.6]])])
    write_pair_file(
        stem.with_suffix('.mat'),
        dict(
            img_path=path.name,
            img_path2='exif_1.jpg',
            points=points,
            points2=points,
            dist_from_center=np.zeros(3),
        ),
    )
    sample = dict(
        corr_path=str(stem.with_suffix('.mat')), img_root=str(path.parent)
    )
    steps = [
        dict(type='LoadCorrespondences'),
        dict(type='LoadImagePair'),
        dict(type='ResizeCropPair', short_side=120, crop_size=CROP),
        PACK,
    ]
    if path.name.startswith('8x1000'):
        steps[2]['short_side'] = 1024
    np.random.seed(0)
    return attempt(steps, sample, path, 'img')


def by_mmseg_alone(path):
    steps = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]
    return attempt(steps, dict(img_path=str(path)), path)


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp('odd') / 'images'
    return folder, odd_images.make(folder)


@pytest.mark.parametrize('name', [f'exif_{i}.jpg' for i in range(1, 9)])
def test_exif_is_ignored(images, name):
    folder, right = images
    assert odd_images.word(as_stored(folder / name), right[name]) == 'right'


def test_every_image_is_right_or_refused(images):
    folder, right = images
    words = {
        name: odd_images.word(as_stored(folder / name), right[name])
        for name in right
    }
    assert words == {
        name: 'right' if expected is not None else 'refused'
        for name, expected in right.items()
    }
    # Whatever is refused is named; `word` takes any text for a refusal.
    for name in (name for name in right if right[name] is None):
        for found in (as_stored(folder / name), of_a_pair(folder / name)):
            assert isinstance(found, str) and str(folder / name) in found
            assert not found.startswith('without path')


def test_crops_show_what_the_points_lie_on(images):
    folder, right = images
    for name, expected in right.items():
        if expected is None or name.startswith('1x1'):
            continue
        crop = of_a_pair(folder / name)
        assert crop.shape == (*CROP, 3), (name, crop)
        # The same crop of the photo itself, whatever the file was.
        reference = of_a_pair(folder / 'exif_1.jpg').astype(int)
        if np.ptp(expected, axis=-1).max() < 3:
            reference = reference @ [0.299, 0.587, 0.114]
            reference = np.repeat(reference[..., None], 3, 2)
        difference = np.abs(crop - reference).max(-1)
        assert (difference < 40).mean() > 0.9, name


def test_a_folder_of_them_is_labelled(images, tmp_path):
    folder, right = images
    network = tiny_network(
        'fgsn/test/fgsn-c200_r101-d8_pspnet_image-folder',
        tmp_path,
        # Of the strip 48 x 6000 pixels, of all others 72 x 48 at most.
        test_pipeline__1__short_side=48,
        test_pipeline__1__max_pixels=100_000,
    )
    only = tmp_path / 'images'
    only.mkdir()
    for i, name in enumerate(right):
        # Names that differ by more than their suffix.
        (only / f'{i}_{name}').symlink_to(folder / name)
    out = tmp_path / 'out'
    model = load_segmentor(*network)
    report = label_images(model, str(only), str(out), num_workers=0)
    refused = [name for name in right if right[name] is None]
    assert report.written == len(right) - len(refused)
    assert len(report.failed) == len(refused)
    for i, (name, expected) in enumerate(right.items()):
        path = out / f'{i}_{name}'.replace(Path(name).suffix, '.png')
        if expected is None:
            assert not path.exists()
            assert sum(f'{i}_{name}' in text for text in report.failed) == 1
        else:
            labels = read_label_map(str(path))
            assert labels.shape == expected.shape[:2]


def test_what_the_network_cannot_hold_stops_no_job(tmp_path):
    """A batch of two; one of them asks for more memory than there is."""
    folder = tmp_path / 'images'
    odd_images.make(folder)
    for path in folder.iterdir():
        if path.name not in ('exif_1.jpg', 'exif_2.jpg'):
            path.unlink()
    network = tiny_network(
        'fgsn/test/fgsn-c200_r101-d8_pspnet_image-folder', tmp_path
    )
    model = load_segmentor(*network)
    calls = []

    def fail(module, inputs):
        calls.append(len(inputs[0]))
        if len(inputs[0]) > 1 or len(calls) > 4:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory.\nTried')

    model.backbone.register_forward_pre_hook(fail)
    model.test_cfg.mode = 'whole'
    out = str(tmp_path / 'out')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/exif_1.png').touch()  # of a disk that was full
    report = label_images(model, str(folder), out, None, 2, 0)
    assert calls == [2, 1, 1] and report.written == 2
    assert report.failed == [] and report.skipped == 0
    calls.extend([0] * 4)
    report = label_images(model, str(folder), out, None, 2, 0, True)
    assert report.written == 0 and len(report.failed) == 2
    assert "'exif_1.jpg' should be an image that can" in report.failed[0]
    assert 'out of memory. Tried' in report.failed[0]


def main():
    init_default_scope('mmseg')
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / 'images'
        right = odd_images.make(folder)
        print('| image | clustering, labelling | training | mmseg alone |')
        print('| --- | --- | --- | --- |')
        for name, expected in right.items():
            pair = of_a_pair(folder / name)
            cells = [
                odd_images.word(as_stored(folder / name), expected),
                'refused' if isinstance(pair, str) else 'right',
            ]
            # mmseg waits for the pipe for ever.
            alone = 'waits for ever'
            if name != 'pipe.jpg':
                found = by_mmseg_alone(folder / name)
                alone = odd_images.word(found, expected)
                if isinstance(found, str) and found.startswith('without'):
                    alone = f'error {found}'
            print('|', ' | '.join([name, *cells, alone]), '|')


if __name__ == '__main__':
    sys.exit(main())
