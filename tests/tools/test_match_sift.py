from __future__ import annotations

import csv

import numpy as np
import pytest
from photo_wall import SHIFTS, SIZE, write_wall

from fgsn_mmseg.datasets import write_label_map
from fgsn_mmseg.localization.hloc_lists import write_poses
from fgsn_mmseg.localization.likelihood import LabelLikelihood

MATCH = 'tools/localization/match_sift.py'
LOCALIZE = 'tools/localization/localize.py'
LEAVE = 'tools/localization/leave_one_out.py'
DATABASE = [name for name in SHIFTS if name.startswith('db/')]


def test_photos_and_a_model_are_enough(tmp_path, call_tool):
    """A list of names takes the camera that the map's images share."""
    pytest.importorskip('poselib', reason='no extra [localization]')
    poses = write_wall(tmp_path, DATABASE)
    pairs, queries = tmp_path / 'pairs.txt', tmp_path / 'queries.txt'
    pairs.write_text(''.join(f'query.png {name}\n' for name in DATABASE))
    queries.write_text('query.png\n')
    write_poses(tmp_path / 'truth.txt', {'query.png': poses['query.png']})
    model = tmp_path / 'model'
    done = call_tool(MATCH, model, tmp_path / 'photos', pairs, tmp_path / 'm')
    assert done.returncode == 0, done.error
    assert 'matches of 1 queries' in done.stdout
    done = call_tool(
        LOCALIZE,
        model,
        tmp_path / 'm/features.h5',
        tmp_path / 'm/matches.h5',
        queries,
        pairs,
        tmp_path / 'out',
        *('--max-error', 4, '--truth', tmp_path / 'truth.txt'),
    )
    assert done.returncode == 0, done.error
    assert 'within 0.25 m and 2 deg: 100.0%' in done.stdout


def test_leave_one_out(tmp_path, call_tool):
    pytest.importorskip('poselib', reason='no extra [localization]')
    write_wall(tmp_path)
    ys, xs = np.indices(SIZE[::-1])
    for name, (x, y) in SHIFTS.items():
        # Labels of squares of the wall, a metre wide.
        column = np.floor((xs - 80) / 30 + x).astype(int)
        row = np.floor((ys - 60) / 30 + y).astype(int)
        labels = (column * 7 + row) % 50
        write_label_map(str(tmp_path / f'labels/{name}'), labels)
    # Equal labels speak for a match, others against it.
    LabelLikelihood(2 * np.eye(50) - 1).save(tmp_path / 'table.npz')
    done = call_tool(
        LEAVE,
        *(tmp_path / 'model', tmp_path / 'photos', tmp_path / 'out.csv'),
        *('--labels', tmp_path / 'labels', '--ratio', 1),
        *('--table', tmp_path / 'table.npz'),
    )
    assert done.returncode == 0, done.error
    with open(tmp_path / 'out.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['name'] for row in rows] == sorted(SHIFTS)
    for row in rows:
        assert float(row['ssmc_distance']) < 0.06
        assert float(row['equal_right']) > 0.7 > float(row['equal_wrong'])
        assert row['llr_distance'] == row['ssmc_distance']
        assert row['name'] in done.stdout
    # A photo without label map stops it, in one line.
    (tmp_path / f'labels/{min(SHIFTS)}').unlink()
    done = call_tool(
        LEAVE,
        *(tmp_path / 'model', tmp_path / 'photos', tmp_path / 'out.csv'),
        *('--labels', tmp_path / 'labels', '--max-features', 300),
    )
    assert done.returncode == 1 and '\n' not in done.error
    assert f"should have the map of '{min(SHIFTS)}'" in done.error


@pytest.mark.parametrize('tool', [MATCH, LEAVE])
def test_help_and_a_missing_model(tool, tmp_path, call_tool, check_help):
    check_help(tool)
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    done = call_tool(tool, tmp_path / 'none', *[tmp_path / 'x'] * 3)
    if tool == LEAVE:
        done = call_tool(tool, tmp_path / 'none', *[tmp_path / 'x'] * 2)
    assert done.returncode == 1 and 'COLMAP model' in done.error
