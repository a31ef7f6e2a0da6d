from __future__ import annotations

import cv2
import numpy as np
import pytest
from miniature_trees import make_seasons

TOOL = 'tools/analysis_tools/browse_correspondences.py'
CONFIG = 'configs/fgsn/fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'


@pytest.fixture
def call(repo_root, tmp_path, call_tool):
    def run(root, *args, split='train'):
        return call_tool(
            TOOL,
            repo_root / CONFIG,
            tmp_path / 'out',
            *('--split', split, *args),
            '--cfg-options',
            f'{split}_dataloader.dataset.data_root={root}',
            f'{split}_dataloader.dataset.ann_file=',
        )

    return run


def test_real_photos(tmp_path, sacre_coeur, call):
    done = call(sacre_coeur, '--number', 3, '--height', 200)
    assert done.returncode == 0, done.error
    assert '3 pictures written' in done.stdout
    paths = sorted((tmp_path / 'out').glob('*.jpg'))
    assert [p.name[:7] for p in paths] == ['000000_', '000040_', '000079_']
    for path in paths:
        picture = cv2.imread(str(path)).astype(int)
        # Two rows of photos with captions; crops of one size below.
        assert picture.shape[0] == 2 * 200 + 3 * 12
        yellow = (np.abs(picture - [0, 210, 255]).max(2) < 60).sum(1)
        assert yellow[: picture.shape[0] // 2].sum() > 200
        assert yellow[picture.shape[0] // 2 :].sum() > 50


def test_validation_pairs_stay_whole(tmp_path, call):
    root = make_seasons(tmp_path, 'CMU')
    done = call(root, '--number', 100, split='val')
    assert '8 pictures written' in done.stdout


def test_broken_input(tmp_path, repo_root, call, call_tool):
    done = call(tmp_path / 'none')
    assert done.returncode == 1
    assert done.error.startswith('error: ') and '\n' not in done.error
    root = make_seasons(tmp_path, 'CMU')
    broken = root / 'correspondence_data' / 'corr_0_0.mat'
    broken.write_bytes(b'no HDF5')
    done = call(root, '--number', 1)
    assert done.returncode == 1
    assert 'corr_0_0.mat' in done.error and '\n' not in done.error
    done = call_tool(TOOL, tmp_path / 'none.py', tmp_path)
    assert done.error.startswith('error: There is no config')
    name = 'configs/fgsn/test/fgsn-c20_r101-d8_pspnet_image-folder.py'
    done = call_tool(TOOL, repo_root / name, tmp_path)
    assert '`train_dataloader` should read pairs' in done.error


@pytest.mark.parametrize('option', ['--height', '--number'])
def test_pictures_of_no_size(tmp_path, call, option):
    done = call(tmp_path, option, 0)
    assert done.returncode == 1
    assert f'`{option.strip("-")}` should be at least 1' in done.error
    assert '\n' not in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
