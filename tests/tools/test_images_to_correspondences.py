from __future__ import annotations

import shutil
import sqlite3
import sys

import cv2
import numpy as np
import pytest

from fgsn_mmseg.datasets import read_pair_file
from fgsn_mmseg.localization.photos import find_places

TOOL = 'tools/dataset_converters/images_to_correspondences.py'


def _photos(folder, seed):
    """Three views of one poster, one blank photo, one broken file."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (30, 40), np.uint8)
    fine = cv2.resize(coarse, (400, 300), interpolation=cv2.INTER_CUBIC)
    fine = cv2.add(fine // 2, rng.integers(0, 60, (300, 400), np.uint8))
    fine = cv2.GaussianBlur(fine, (0, 0), 1.0)
    moves = []
    for i in range(3):
        move = np.array([[1, 0.02 * i, 9.0 * i], [0.01 * i, 1, 5.0 * i]])
        photo = cv2.warpAffine(fine, move, (400, 300))
        cv2.imwrite(str(folder / f'{i}.png'), photo)
        moves.append(np.vstack([move, [0, 0, 1]]))
    cv2.imwrite(str(folder / 'blank.png'), np.full((300, 400), 99, np.uint8))
    (folder / 'broken.jpg').write_text('no image')
    return moves


def _points(out):
    pairs = {}
    for path in (out / 'correspondence_data').iterdir():
        pair = read_pair_file(path)
        pairs[path.name] = np.hstack([pair['points'], pair['points2']])
    return pairs


def test_two_posters(tmp_path, call_tool):
    """A plane gives no model: pairs are of two-view geometries."""
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    moves = _photos(tmp_path / 'in/east', 1)
    _photos(tmp_path / 'in/west', 2)
    out = tmp_path / 'out'
    args = (TOOL, tmp_path / 'in', out, '--places', 2, '--num-threads', 1)
    done = call_tool(*args)
    assert done.returncode == 0, done.error
    assert '10 photos gave' in done.stdout
    assert 'left out east/broken.jpg: it could not be read' in done.stdout
    assert 'left out west/blank.png: it matches no other' in done.stdout
    pair = read_pair_file(out / 'correspondence_data/east_0--east_2.mat')
    assert (pair['img_path'], len(pair['points']) > 30) == ('east/0.png', True)
    assert (out / 'images/east/0.png').is_file()
    ones = np.ones((len(pair['points']), 1))
    seen = np.hstack([pair['points'], ones]) @ moves[2].T
    error = np.linalg.norm(seen[:, :2] - pair['points2'], axis=1)
    assert np.median(error) < 0.3
    # One poster trains, the other validates.
    lists = [
        {line.split('_')[0] for line in (out / n).read_text().split()}
        for n in ('corr_train.txt', 'corr_val.txt')
    ]
    assert sorted(map(sorted, lists)) == [['east'], ['west']]

    # A second run goes on from what is there, here all but the matches of
    # the last pairs, and ends with the same points.
    before = _points(out)
    shutil.rmtree(out / 'correspondence_data')
    for place in ('east', 'west'):
        work = out / 'reconstruction' / place
        shutil.rmtree(work / 'models')
        with sqlite3.connect(work / 'database.db') as database:
            for table in ('matches', 'two_view_geometries'):
                database.execute(f'DELETE FROM {table} WHERE rowid > 1')
    again = call_tool(*args)
    assert again.returncode == 0, again.error
    after = _points(out)
    assert before.keys() == after.keys() and len(before) == 12
    for name, points in before.items():
        np.testing.assert_array_equal(points, after[name])


def test_places_are_folders(tmp_path):
    for name in ('b/x/2.JPG', 'b/1.png', 'c.jpeg', 'b/list.txt'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('')
    assert find_places(tmp_path) == {
        '': ['c.jpeg'],
        'b': ['b/1.png', 'b/x/2.JPG'],
    }


def test_photos_that_do_not_overlap_are_one_line(tmp_path, call_tool):
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    done = call_tool(TOOL, tmp_path, tmp_path / 'out')
    assert done.returncode == 1 and 'without any file' in done.error
    blank = np.full((60, 80), 99, np.uint8)
    (tmp_path / 'in').mkdir()
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(tmp_path / 'in' / name), blank)
    done = call_tool(TOOL, tmp_path / 'in', tmp_path / 'out')
    assert done.returncode == 1 and 'photos that overlap' in done.error
    assert '\n' not in done.error


def test_help(check_help):
    check_help(TOOL)


def test_without_the_extra_one_line_says_what_to_install(
    tmp_path, call_tool, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'pycolmap', None)
    done = call_tool(TOOL, tmp_path, tmp_path / 'out')
    assert done.returncode == 1
    assert "pip install 'fgsn-mmseg[localization]'" in done.error
