from __future__ import annotations

import cv2
import numpy as np

from fgsn_mmseg.datasets import write_label_map, write_pair_file
from fgsn_mmseg.localization import LabelLikelihood
from fgsn_mmseg.localization.learning import wrong_matches

TOOL = 'tools/localization/learn_likelihood.py'


def _scene(seed=0):
    """A photo, the same shifted by 12 px along x, and 40 points."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (40, 60), np.uint8)
    wide = cv2.resize(small, (312, 200), interpolation=cv2.INTER_CUBIC)
    wide = cv2.cvtColor(wide, cv2.COLOR_GRAY2BGR)
    first, second = wide[:, 12:], wide[:, :-12].copy()
    # A block that is elsewhere in the second: matches that are wrong.
    second[120:180, 40:120] = first[20:80, 140:220]
    points = rng.uniform([5, 5], [280, 110], (40, 2))
    return first, second, points, points + [12, 0]


def test_wrong_matches_are_off_their_epipolar_lines():
    first, second, points, points2 = _scene()
    # Epipolar lines need depth: shifts along x of different lengths.
    points2 = points2 + np.random.default_rng(1).uniform(0, 9, (40, 1)) * [
        1,
        0,
    ]
    a, b = wrong_matches(first, second, points, points2, 20.0)
    assert len(a) == len(b) > 5
    # Lines of a shift along x are rows.
    assert np.abs(a[:, 1] - b[:, 1]).min() > 15
    none, _ = wrong_matches(first, second, points[:9], points2[:9], 20.0)
    assert len(none) == 0


def test_learns_from_pairs(tmp_path, call_tool):
    first, second, points, points2 = _scene()
    points2 = points2 + np.random.default_rng(1).uniform(0, 9, (40, 1)) * [
        1,
        0,
    ]
    (tmp_path / 'images').mkdir()
    # Labels are bands of 50 rows; in the second photo they are called 3 more.
    bands = np.repeat(np.arange(200)[:, None] // 50, 300, 1)
    for name, photo, labels in (
        ('a', first, bands),
        ('b', second, bands + 3),
    ):
        cv2.imwrite(str(tmp_path / f'images/{name}.png'), photo)
        write_label_map(str(tmp_path / f'labels/{name}.png'), labels)
    write_pair_file(
        tmp_path / 'correspondence_data/ab.mat',
        dict(
            img_path='a.png',
            img_path2='b.png',
            points=points,
            points2=points2,
            dist_from_center=np.zeros(40),
        ),
    )
    (tmp_path / 'corr_train.txt').write_text('ab.mat\n')
    args = (tmp_path / 'corr_train.txt', tmp_path / 'labels')
    done = call_tool(TOOL, *args, 8, tmp_path / 'table.npz')
    assert done.returncode == 0, done.error
    assert '80 right and' in done.stdout
    table = LabelLikelihood.load(tmp_path / 'table.npz').table
    assert table.shape == (8, 8)
    # The same band is right, under either name first; another is wrong.
    assert table[1, 4] > 1 and table[4, 1] > 1
    assert table[0, 5] < -1
    done = call_tool(TOOL, *args, 5, tmp_path / 'table.npz')
    assert done.returncode == 1 and 'should be below 5' in done.error
