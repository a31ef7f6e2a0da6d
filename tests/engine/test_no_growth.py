"""Memory, files and processes of a long run stay where they are."""

from __future__ import annotations

import multiprocessing
import os
import re
from pathlib import Path
from statistics import median

import pytest
from mmengine.hooks import Hook
from tiny_runs import QuietRunner

from benchmarks.loader import make_pairs
from kill_trials.small_run import SIZE, small_config

ITERS, CLUSTERINGS = 2000, 10
EVERY = ITERS // CLUSTERINGS


class Measure(Hook):
    """Megabytes, open files and child processes, by iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.rows = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, **kwargs):
        if (runner.iter + 1) % (EVERY // 2) == 0:
            status = Path('/proc/self/status').read_text()
            memory = int(re.search(r'VmRSS:\s+(\d+) kB', status)[1]) / 1024
            files = len(os.listdir('/proc/self/fd'))
            children = len(multiprocessing.active_children())
            self.rows.append((runner.iter + 1, memory, files, children))


@pytest.mark.slow
@pytest.mark.skipif(not Path('/proc/self/fd').is_dir(), reason='no /proc')
def test_no_growth(tmp_path):
    make_pairs(str(tmp_path / 'pairs'), SIZE)
    config = small_config(tmp_path / 'pairs', tmp_path / 'run', 2)
    config.merge_from_dict(
        {
            'train_cfg.max_iters': ITERS,
            'train_cfg.val_interval': EVERY,
            'default_hooks.checkpoint.interval': EVERY,
        }
    )
    config.custom_hooks[0].interval = EVERY
    config.param_scheduler[0].end = ITERS
    runner = QuietRunner.from_cfg(config)
    measure = Measure()
    runner.register_hook(measure)
    runner.train()
    for row in measure.rows:
        print(
            '{:5d} iterations: {:.0f} MB, {} files, {} children'.format(*row)
        )
    assert len(list((tmp_path / 'run').glob('clustering_iter_*'))) == 10
    _, memory, files, children = zip(*measure.rows)
    half = len(memory) // 2
    # The history of the log takes 16 bytes a value, a megabyte in all.
    assert max(memory[half:]) < 1.05 * max(memory[:half])
    # What workers hand over is a file for a moment.
    assert median(files[half:]) <= median(files[:half])
    assert set(children[half:]) == {2}
