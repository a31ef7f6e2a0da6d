from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from fgsn_mmseg.apis import read_training_log
from fgsn_mmseg.visualization.training_curves import (
    draw_training,
    moving_mean,
)

TOOL = 'tools/analysis_tools/plot_training.py'


def write_run(folder, time, rows):
    path = folder / time / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    return path


def training_row(step, loss):
    return {'lr': 0.1, 'loss': loss, 'decode.loss_corr': loss, 'step': step}


@pytest.fixture
def work_dir(tmp_path):
    """Two runs: the second went on from iteration 20."""
    figures = {
        'clustering/features': 90,
        'clustering/used_clusters': 20,
        'clustering/entropy': 3.0,
        'clustering/largest_share': 0.25,
    }
    write_run(
        tmp_path,
        '20200101_000000',
        [
            {**figures, 'step': 0},
            training_row(10, 4.0),
            training_row(20, 3.0),
            {'match_bits': 1.0, 'agreement': 0.5, 'chance': 0.1, 'step': 20},
            training_row(30, 99.0),
            training_row(40, 99.0),
        ],
    )
    write_run(
        tmp_path,
        '20200102_000000',
        [
            training_row(30, 2.0),
            {'match_bits': 1.5, 'agreement': 0.7, 'chance': 0.1, 'step': 30},
        ],
    )
    (tmp_path / 'clustering_iter_0.h5').touch()
    (tmp_path / 'clustering_iter_25.h5').touch()
    return tmp_path


def test_runs_are_joined(work_dir):
    log = read_training_log(work_dir)
    assert log.curves['loss'] == [(10, 4.0), (20, 3.0), (30, 2.0)]
    assert log.curves['match_bits'] == [(20, 1.0), (30, 1.5)]
    assert log.clusterings == [0, 25]


def test_draws_what_was_logged(work_dir):
    log = read_training_log(work_dir)
    figure = draw_training(log.curves, log.clusterings, smooth=2)
    losses, bits, shares, clusters, twin = figure.axes
    lines = {line.get_label(): line for line in losses.lines}
    # The mean of each value and the one before it.
    assert lines['loss'].get_ydata().tolist() == [4.0, 3.5, 2.5]
    marks = [line.get_xdata()[0] for line in shares.lines][-2:]
    assert marks == [0, 25]
    (found,) = [x for x in bits.lines if x.get_label() == 'match bits']
    assert found.get_xydata().tolist() == [[20, 1.0], [30, 1.5]]
    effective = [x for x in clusters.lines if 'effective' in x.get_label()]
    assert effective[0].get_ydata().tolist() == [8.0]
    assert twin.lines[0].get_ydata().tolist() == [25.0]


def test_moving_mean_against_a_loop():
    values = np.random.default_rng(0).normal(size=9)
    for window in (1, 3, 20):
        expected = [
            np.mean(values[max(0, i - window + 1) : i + 1]) for i in range(9)
        ]
        np.testing.assert_allclose(moving_mean(values, window), expected)


def test_writes_a_picture(work_dir, call_tool):
    done = call_tool(TOOL, work_dir, '--dpi', 40)
    assert done.returncode == 0, done.error
    assert '30 iterations, 2 clusterings' in done.stdout
    picture = cv2.imread(str(work_dir / 'training.png'))
    assert picture.shape == (320, 480, 3)
    out = work_dir / 'seen.svg'
    call_tool(TOOL, work_dir, '--out', out, '--smooth', 1)
    assert '<svg' in out.read_text()


def test_nothing_but_a_loss(tmp_path, call_tool):
    write_run(tmp_path, '20200101_000000', [training_row(1, 1.0)])
    assert call_tool(TOOL, tmp_path, '--dpi', 20).returncode == 0


def test_broken_input(tmp_path, work_dir, call_tool):
    done = call_tool(TOOL, tmp_path / 'none')
    assert done.returncode == 1
    assert done.error.startswith('error: `work_dir` should be')
    path = write_run(work_dir, '20200103_000000', [training_row(31, 1.0)])
    # Killed while it wrote: the half line does not count.
    path.write_text(path.read_text() + '{"loss": 1')
    assert read_training_log(work_dir).curves['loss'][-1] == (31, 1.0)
    path.write_text('no JSON\n{}\n')
    done = call_tool(TOOL, work_dir)
    assert done.returncode == 1 and 'Line 1 of' in done.error
    assert '\n' not in done.error


@pytest.mark.parametrize('content', ['', '\n', '{"loss": 1'])
def test_a_run_that_logged_nothing_erases_nothing(work_dir, content):
    before = read_training_log(work_dir)
    write_run(work_dir, '20200103_000000', []).write_text(content)
    assert read_training_log(work_dir) == before


def test_only_empty_logs(tmp_path, call_tool):
    write_run(tmp_path, '20200101_000000', [])
    done = call_tool(TOOL, tmp_path)
    assert done.returncode == 1 and 'Wait for the first line' in done.error


def test_a_validation_is_made_up_for(work_dir):
    """It comes first in the resumed run's log; its iteration stays."""
    row = {'match_bits': 1.6, 'step': 30}
    write_run(work_dir, '20200103_000000', [row, training_row(40, 1.0)])
    log = read_training_log(work_dir)
    assert log.curves['loss'][-2:] == [(30, 2.0), (40, 1.0)]
    assert log.curves['match_bits'] == [(20, 1.0), (30, 1.6)]


@pytest.mark.parametrize(
    'line',
    [
        '[1, 2]',
        '7',
        'null',
        '{"loss": 1.0}',
        '{"step": null}',
        '{"step": [1]}',
        '{"step": Infinity}',
        '{"step": NaN}',
        '{"step": 1, "loss": 1' + '0' * 400 + '}',
        '\udcff',
    ],
)
def test_odd_lines_are_named(work_dir, call_tool, line):
    path = write_run(work_dir, '20200103_000000', [])
    text = f'{line}\n{json.dumps(training_row(31, 1.0))}\n'
    path.write_bytes(text.encode('utf-8', 'surrogateescape'))
    done = call_tool(TOOL, work_dir)
    assert done.returncode == 1
    assert f'Line 1 of {path}' in done.error and '\n' not in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
