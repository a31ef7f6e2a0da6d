"""Fixtures: the tiny world, and the scripts of this project."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.registry import DefaultScope

import fgsn_mmseg  # noqa: F401  before mmseg.models, which needs mmcv.ops
from town import generate_world, settings_for

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


@pytest.fixture(scope='session')
def tiny():
    return settings_for('tiny', save_depth=True)


@pytest.fixture(scope='session')
def tiny_world(tiny, tmp_path_factory):
    """The tiny world, made once for all tests: do not write into it."""
    root = tmp_path_factory.mktemp('town')
    return generate_world(root, tiny, workers=2)


@pytest.fixture
def call(monkeypatch, capsys):
    """`call('demo.py', *args)` runs a script in this process."""

    def run(script, *args):
        monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
        capsys.readouterr()
        code = None
        try:
            runpy.run_path(str(PROJECT / script), run_name='__main__')
        except SystemExit as stop:
            code = stop.code
        written = capsys.readouterr()
        return SimpleNamespace(code=code, out=written.out, err=written.err)

    return run


@pytest.fixture
def check_help(call):
    """Every flag of a script's `--help` is to show its default."""

    def check(script):
        shown = call(script, '--help')
        assert shown.code == 0
        options = ' '.join(shown.out.split()).split(' options: ')[-1]
        flags = set(re.findall(r'(?<= )--[a-z][a-z-]+(?=[ ,])', options))
        assert flags - {'--help'}
        assert options.count('(default: ') >= len(flags - {'--help'})

    return check


@pytest.fixture(scope='session')
def start():
    """`start('demo.py', *args)` runs a script as a user would."""

    def run(script, *args):
        repo = str(PROJECT.parents[1])
        paths = filter(None, [repo, os.environ.get('PYTHONPATH')])
        done = subprocess.run(
            [sys.executable, str(PROJECT / script), *map(str, args)],
            timeout=900,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                'PYTHONPATH': os.pathsep.join(paths),
                'OMP_NUM_THREADS': '1',
            },
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    return run
