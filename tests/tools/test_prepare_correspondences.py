from __future__ import annotations

import os
import shutil
from functools import partial

import h5py
import pytest
from miniature_trees import make_seasons

from fgsn_mmseg.datasets import read_names
from fgsn_mmseg.datasets.pair_file import read_pair_file

TOOL = 'tools/dataset_converters/prepare_correspondences.py'


@pytest.fixture
def tool(call_tool):
    return partial(call_tool, TOOL)


def read_references(root, name):
    return {
        read_pair_file(root / 'correspondence_data' / n)['img_path']
        for n in read_names(str(root / name))
    }


@pytest.mark.parametrize('name', ['CMU', 'ROBOTCAR'])
def test_writes_lists_of_a_published_tree(tmp_path, tool, name):
    root = make_seasons(tmp_path, name)
    done = tool(root, '--nproc', 2)
    train, val = (
        read_names(str(root / n)) for n in ('corr_train.txt', 'corr_val.txt')
    )
    assert (len(train), len(val)) == (6, 2)
    there = {p.name for p in (root / 'correspondence_data').iterdir()}
    assert {*train, *val} == there
    references = read_references(root, 'corr_train.txt')
    assert not references & read_references(root, 'corr_val.txt')
    names = read_names(str(root / 'reference_image_names.txt'))
    assert names == sorted(references)
    assert 'correspondence_data: 8 files, 0 unreadable' in done.stdout
    assert 'images: 12 of the 12 images' in done.stdout
    assert '/testing: 2 images, 2 annotations' in done.stdout
    assert 'warning' not in done.stdout
    # Two pairs of 30 positions each.
    assert 'index: 3 reference images, 180 positions' in done.stdout


def test_second_run_keeps_lists_and_finds_their_faults(tmp_path, tool):
    root = make_seasons(tmp_path, 'CMU')
    tool(root)
    before = (root / 'corr_val.txt').read_bytes()
    train = root / 'corr_train.txt'
    train.write_text(train.read_text() + before.decode() + 'gone.mat\n')
    done = tool(root)
    assert 'kept corr_train.txt and corr_val.txt' in done.stdout
    assert (root / 'corr_val.txt').read_bytes() == before
    assert done.stdout.count('warning: ') == 3
    assert "'gone.mat'" in done.stdout
    assert '2 pairs train and validate' in done.stdout
    assert 'gone.mat' in done.error and done.returncode == 1
    assert '1 reference images train and validate' in done.stdout
    done = tool(root, '--overwrite')
    assert 'warning' not in done.stdout
    assert 'gone.mat' not in train.read_text()


def test_says_what_is_missing(tmp_path, tool):
    root = make_seasons(tmp_path, 'CMU')
    shutil.rmtree(root / 'segmented_images')
    broken = root / 'correspondence_data' / 'corr_0_0.mat'
    broken.write_bytes(b'no HDF5')
    # The target of one pair.
    pair = read_pair_file(root / 'correspondence_data' / 'corr_1_0.mat')
    (root / 'images' / pair['img_path2']).unlink()
    done = tool(root)
    assert 'correspondence_data: 8 files, 1 unreadable' in done.stdout
    assert 'unreadable: ' in done.stdout and 'corr_0_0.mat' in done.stdout
    assert 'missing: 1 images' in done.stdout
    assert pair['img_path2'] in done.stdout
    assert 'segmented_images: none' in done.stdout
    assert done.stdout.count('visuallocalization.net') == 2
    listed = read_names(str(root / 'corr_train.txt'))
    listed += read_names(str(root / 'corr_val.txt'))
    assert len(listed) == 6
    assert not {'corr_0_0.mat', 'corr_1_0.mat'} & set(listed)


def test_files_of_strangers_stop_no_run(tmp_path, tool):
    root = make_seasons(tmp_path, 'ROBOTCAR')
    folder = root / 'correspondence_data'
    (folder / '._corr_0_0.mat').write_bytes(b'of macOS')
    with h5py.File(folder / 'corr_0_0.mat', 'a') as file:
        del file['pt_i']  # 1.6 TB of zeros in a few bytes
        file.create_dataset('pt_i', (10**11, 2), chunks=(1000, 2))
    (folder / 'corr_0_1.mat').unlink()
    os.mkfifo(folder / 'corr_0_1.mat')
    # The published images of RobotCar are .jpg, its lists say .png.
    for path in (root / 'images').rglob('*.png'):
        path.rename(path.with_suffix('.jpg'))
    pair = read_pair_file(folder / 'corr_1_0.mat')
    empty = (root / 'images' / pair['img_path2']).with_suffix('.jpg')
    empty.write_bytes(b'')
    done = tool(root, '--nproc', 2)
    assert done.returncode == 0, done.error
    assert 'correspondence_data: 8 files, 2 unreadable' in done.stdout
    assert 'at most 2000000 numbers' in done.stdout
    assert 'no regular file' in done.stdout
    assert 'are there under another name, which is used' in done.stdout
    assert '.png as ' in done.stdout and 'missing: 1 images' in done.stdout
    assert 'pairs that can be used: 5 of 8' in done.stdout


def test_real_photos(tmp_path, repo_root, run_tool, sacre_coeur):
    root = tmp_path / 'sacre_coeur'
    (root / 'correspondence_data').mkdir(parents=True)
    (root / 'images').symlink_to(sacre_coeur / 'images')
    for path in sorted((sacre_coeur / 'correspondence_data').iterdir()):
        (root / 'correspondence_data' / path.name).symlink_to(path)
    done = run_tool(repo_root / TOOL, root)
    assert 'pairs that can be used: 80 of 80' in done.stdout
    train = read_references(root, 'corr_train.txt')
    assert not train & read_references(root, 'corr_val.txt')
    assert len(read_names(str(root / 'corr_train.txt'))) in range(50, 63)


@pytest.mark.parametrize('fault', ['nothing', 'no images', 'one list'])
def test_broken_input(tmp_path, tool, fault):
    root = tmp_path
    if fault != 'nothing':
        root = make_seasons(tmp_path, 'CMU')
    if fault == 'no images':
        shutil.rmtree(root / 'images')
    if fault == 'one list':
        (root / 'corr_val.txt').write_text('corr_0_0.mat\n')
    done = tool(root)
    assert done.returncode != 0
    assert done.error.startswith('error: ') and '\n' not in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
