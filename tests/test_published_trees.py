"""From a published tree to a trained and tested network, by mmseg's tools."""

from __future__ import annotations

import math
import re
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from miniature_training import tiny_config
from miniature_trees import make_cityscapes, make_seasons, make_vistas

REPO = Path(__file__).resolve().parents[1]
PREPARE = REPO / 'tools/dataset_converters/prepare_correspondences.py'
VISTAS = REPO / 'tools/dataset_converters/vistas_to_cityscapes.py'
TRAIN = 'fgsn/fgsn-c20_r101-d8_pspnet_1xb1-60k_{}-713x713'
START = 'checkpoints/pspnet_r101-d8_4xb4-80k_cityscapes-vistas-713x713.pth'
# Cityscapes id -> train id, for the slow re-computation.
TRAIN_IDS = dict(
    zip(
        [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28],
        range(16),
    )
) | {31: 16, 32: 17, 33: 18}


def train(folder, config, mmseg_tool, run_tool):
    done = run_tool(
        mmseg_tool('train'),
        config,
        *('--work-dir', 'work'),
        cwd=folder,
        timeout=1200,  # a busy machine
    )
    return done.stdout + done.stderr


def check_losses(log, name, number=2):
    losses = [float(x) for x in re.findall(rf'{name}: ([\d.]+)', log)]
    assert len(losses) >= number
    assert all(math.isfinite(x) for x in losses)


@pytest.fixture(scope='module')
def cmu(tmp_path_factory, mmseg_tool, run_tool):
    """A folder with data/CMU, prepared, and an FGSN trained on it."""
    folder = tmp_path_factory.mktemp('cmu')
    root = make_seasons(folder / 'data', 'CMU')
    run_tool(PREPARE, root, '--nproc', 1)
    config = tiny_config(TRAIN.format('cmu'), folder, model__init_cfg=None)
    log = train(folder, config, mmseg_tool, run_tool)
    return folder, log


def test_cmu_trains(cmu):
    folder, log = cmu
    assert 'Iter(train) [10/10]' in log
    assert 'Clustering at iteration 0: ' in log
    assert re.search(r'features of 3 images', log)
    check_losses(log, r'decode\.loss_corr')
    check_losses(log, r'aux\.loss_seg')
    assert re.search(r'match_bits: [\d.]+', log)
    assert list((folder / 'work').glob('best_match_bits_iter_*.pth'))
    assert (folder / 'work/clustering_iter_0.h5').is_file()


def test_information_of_an_annotated_tree(cmu, mmseg_tool, run_tool):
    folder, _ = cmu
    name = 'fgsn/test/fgsn-c20_r101-d8_pspnet_cmu-seasons'
    done = run_tool(
        mmseg_tool('test'),
        tiny_config(name, folder),
        'work/iter_10.pth',
        *('--work-dir', 'work/test', '--out', 'work/maps'),
        cwd=folder,
    )
    log = done.stdout + done.stderr
    annotations = folder / 'data/CMU/segmented_images/testing/annos'
    pairs = Counter()
    for path in sorted(annotations.iterdir()):
        classes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        labels = cv2.imread(
            str(folder / 'work/maps' / path.name), cv2.IMREAD_UNCHANGED
        )
        assert labels.dtype == np.uint16 and labels.shape == classes.shape
        for row, row2 in zip(labels.tolist(), classes.tolist()):
            pairs.update(
                (label, TRAIN_IDS[i])
                for label, i in zip(row, row2)
                if i in TRAIN_IDS
            )
    for name, value in slow_figures(pairs).items():
        printed = re.findall(rf'\b{name}: (\d+\.\d+)', log)
        assert len(printed) == 1, name
        assert float(printed[0]) == pytest.approx(value, abs=1e-4)


def slow_figures(pairs):
    """NMI, purity and majority-vote mIoU, one pixel class at a time."""
    total = sum(pairs.values())
    clusters, classes = Counter(), Counter()
    for (cluster, class_), count in pairs.items():
        clusters[cluster] += count
        classes[class_] += count

    def entropy(counts):
        return -sum(n / total * math.log(n / total) for n in counts.values())

    mutual = sum(
        n / total * math.log(n * total / clusters[a] / classes[b])
        for (a, b), n in pairs.items()
    )
    votes = {
        cluster: max(classes, key=lambda b: (pairs[cluster, b], -b))
        for cluster in clusters
    }
    right = Counter()
    voted = Counter()
    for (cluster, class_), count in pairs.items():
        voted[votes[cluster]] += count
        right[class_] += count * (votes[cluster] == class_)
    ious = [
        right[c] / (voted[c] + classes[c] - right[c])
        for c in range(19)
        if voted[c] + classes[c]
    ]
    return {
        'NMI': mutual / ((entropy(clusters) + entropy(classes)) / 2),
        'purity': sum(right.values()) / total,
        'mIoU': 100 * sum(ious) / len(ious),
    }


@pytest.mark.slow
@pytest.mark.parametrize('data', ['robotcar', 'cmu-robotcar'])
def test_seasons_train(tmp_path, mmseg_tool, run_tool, data):
    for name in ('CMU', 'ROBOTCAR')[data == 'robotcar' :]:
        root = make_seasons(tmp_path / 'data', name)
        run_tool(PREPARE, root, '--nproc', 1)
    config = tiny_config(TRAIN.format(data), tmp_path, model__init_cfg=None)
    log = train(tmp_path, config, mmseg_tool, run_tool)
    assert 'Iter(train) [10/10]' in log
    check_losses(log, r'decode\.loss_corr')
    joined = data == 'cmu-robotcar'
    assert f'features of {3 + 3 * joined} images' in log
    assert ('agreement/ROBOTCAR: ' in log) == joined


@pytest.mark.slow
def test_the_whole_way(tmp_path, mmseg_tool, run_tool):
    """Base network on Cityscapes and Vistas, then an FGSN that starts there.

    Every tree goes through its converter; the FGSN finds its start at the
    path that its config names.
    """
    data = tmp_path / 'data'
    make_cityscapes(data)
    run_tool(VISTAS, make_vistas(data), '--nproc', 1)
    run_tool(PREPARE, make_seasons(data, 'CMU'), '--nproc', 1)
    base = Path(START).stem
    config = tiny_config(f'base/{base}', tmp_path)
    log = train(tmp_path, config, mmseg_tool, run_tool)
    check_losses(log, r'decode\.loss_ce')
    (tmp_path / 'checkpoints').mkdir()
    shutil.move(tmp_path / 'work/iter_10.pth', tmp_path / START)
    config = tiny_config(TRAIN.format('cmu'), tmp_path)
    log = train(tmp_path, config, mmseg_tool, run_tool)
    assert f'load model from: {START}' in log
    check_losses(log, r'decode\.loss_corr')
    # Nothing but the classifiers and what an FGSN adds was drawn anew.
    missing = re.findall(r'size mismatch for ([\w.]+):', log)
    assert set(missing) == {
        f'{head}.conv_seg.{part}'
        for head in ('decode_head', 'auxiliary_head')
        for part in ('weight', 'bias')
    }
    assert not re.search(r'missing keys.*backbone', log)
