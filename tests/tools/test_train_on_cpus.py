"""The commands of docs/training.md for several processes without a GPU."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.loader import make_pairs
from kill_trials.small_run import SIZE, small_config


@pytest.mark.slow
@pytest.mark.ddp
def test_two_processes(repo_root, tmp_path):
    text = (repo_root / 'docs/training.md').read_text('utf-8')
    script = re.search(
        r'<!-- file: train_cpu.py -->\n```python\n(.*?)```', text, re.DOTALL
    )
    command = re.search(
        r'```bash\n(torchrun \S+ 2 train_cpu\.py .*?)```', text, re.DOTALL
    )
    (tmp_path / 'train_cpu.py').write_text(script[1])
    make_pairs(str(tmp_path / 'pairs'), SIZE)
    config = small_config(tmp_path / 'pairs', tmp_path / 'run', 0)
    config.custom_imports = dict(imports=['fgsn_mmseg'])
    config.dump(tmp_path / 'config.py')
    commands = [str(Path(sys.executable).parent), os.environ['PATH']]
    done = subprocess.run(
        ['bash', '-c', command[1].replace('CONFIG', 'config.py')],
        cwd=tmp_path,
        env={
            **os.environ,
            'PATH': os.pathsep.join(commands),
            'PYTHONPATH': str(repo_root),
            'OMP_NUM_THREADS': '1',
        },
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert (tmp_path / 'run' / 'iter_12.pth').is_file()
    assert list((tmp_path / 'run').glob('best_*.pth'))
