from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from miniature_training import tiny_network

from fgsn_mmseg.apis import load_segmentor
from fgsn_mmseg.datasets import read_pair_file

TOOL = 'tools/analysis_tools/find_stationary_clusters.py'


@pytest.fixture
def network(tmp_path, sacre_coeur):
    """Random weights that validate on all pairs of ten real photos."""
    return tiny_network(
        'fgsn/fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713',
        tmp_path,
        val_dataloader__dataset__data_root=str(sacre_coeur),
        val_dataloader__dataset__ann_file='',
    )


def naive_counts(network, sacre_coeur):
    """Pixel by pixel, over pairs 0, 40."""
    from mmseg.apis import inference_model

    model = load_segmentor(*network)
    files = sorted((sacre_coeur / 'correspondence_data').glob('*.mat'))
    counts = np.zeros((2, 20), int)
    for file in files[::40]:
        pair = read_pair_file(file)
        path = sacre_coeur / 'images' / pair['img_path']
        labels = inference_model(model, str(path)).pred_sem_seg.data[0]
        hit = set()
        for x, y in pair['points'].astype(np.float32).tolist():
            column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
            if 0 <= row < labels.shape[0] and 0 <= column < labels.shape[1]:
                hit.add((row, column))
        for row, column in hit:
            counts[0, labels[row, column]] += 1
        counts[1] += np.bincount(labels.ravel(), minlength=20)
    counts[1] -= counts[0]
    return counts


def test_counts_and_files(tmp_path, network, sacre_coeur, call_tool):
    out = tmp_path / 'out'
    done = call_tool(TOOL, *network, out, '--step', 40, '--threshold', 0.0003)
    assert done.returncode == 0, done.error
    expected = naive_counts(network, sacre_coeur)
    with np.load(out / 'stationary_clusters.npz') as arrays:
        np.testing.assert_array_equal(arrays['at_points'], expected[0])
        np.testing.assert_array_equal(arrays['elsewhere'], expected[1])
        ids = arrays['stationary'].tolist()
    content = json.loads((out / 'stationary_clusters.json').read_text())
    share = expected[0] / np.maximum(expected.sum(0), 1)
    assert (
        content['stationary'] == ids == np.flatnonzero(share > 0.0003).tolist()
    )
    np.testing.assert_allclose(content['share'], share, atol=1e-6)
    assert (content['num_clusters'], content['num_images']) == (20, 2)
    assert f'{len(ids)} of 20 clusters are stationary over 2' in done.stdout
    assert 0 < len(ids) < 20
    sheet = cv2.imread(str(out / 'stationary_clusters.png'))
    used = (expected.sum(0) > 0).sum()
    assert sheet.shape[0] == -(-used // 2) * (20 + 68)


def test_config_without_pairs(tmp_path, call_tool):
    name = 'fgsn/test/fgsn-c20_r101-d8_pspnet_image-folder'
    network = tiny_network(name, tmp_path)
    done = call_tool(TOOL, *network, tmp_path / 'out')
    assert done.returncode == 1
    assert done.error.startswith('error: `val_dataloader` should read pairs')


def test_broken_input(tmp_path, network, call_tool):
    (tmp_path / 'broken.pth').write_bytes(b'no checkpoint')
    done = call_tool(TOOL, network[0], tmp_path / 'broken.pth', tmp_path)
    assert done.returncode == 1
    assert done.error.startswith('error: ') and '\n' not in done.error
    options = 'val_dataloader.dataset.data_root=/nowhere'
    done = call_tool(TOOL, *network, tmp_path, '--cfg-options', options)
    assert done.returncode == 1
    assert 'nowhere' in done.error and '\n' not in done.error


@pytest.mark.parametrize(
    'options',
    [('--device', 'foo'), ('--device', 'cuda:77'), ('--patches', 0)],
)
def test_what_cannot_be(tmp_path, network, call_tool, options):
    done = call_tool(TOOL, *network, tmp_path, *options)
    assert done.returncode == 1
    name = options[0].strip('-')
    assert done.error.startswith(f'error: `{name}` should be')
    assert '\n' not in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
