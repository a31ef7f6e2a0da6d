"""What `make` would do, without doing it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(not shutil.which('make'), reason='no make')


def make(*words):
    env = {key: value for key, value in os.environ.items() if key != 'FAMILY'}
    env.pop('MAKEFLAGS', None)  # of the `make test` that runs this
    return subprocess.run(
        ['make', '--dry-run', '--always-make', *words],
        cwd=REPO,
        env=env,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ('words', 'folder', 'extras', 'constraints'),
    [
        (['test'], '.venv', 'lite,dev', 'constraints'),
        (['test', 'FAMILY=onedl'], '.venv-onedl', 'onedl,test', 'constraints'),
        (['test-oldest'], '.venv-oldest', 'lite,test', 'oldest'),
    ],
)
def test_environment_of_each_family(words, folder, extras, constraints):
    done = make(*words)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    install = (
        f'{folder}/bin/python -m pip install --no-compile '
        f'--constraint requirements/{constraints}.txt'
    )
    assert f'{install} torch' in lines
    assert f"{install} --editable '.[{extras}]'" in lines
    assert any(x.startswith(f'{folder}/bin/python -m pytest ') for x in lines)
    for extra in extras.split(','):
        assert f'\n{extra} = [' in (REPO / 'pyproject.toml').read_text()


def test_unknown_family():
    done = make('test', 'FAMILY=mmlab')
    assert done.returncode
    (line,) = done.stderr.splitlines()
    said = "`FAMILY` should be openmmlab, onedl or oldest, but got 'mmlab'."
    assert said in line


def test_lint_checks_the_directions_of_imports():
    assert '.venv/bin/lint-imports' in make('lint').stdout


def test_site_has_an_environment_of_its_own():
    lines = make('docs').stdout.splitlines()
    install = '.venv-docs/bin/python -m pip install --requirement'
    assert f'{install} requirements/docs.txt' in lines
    assert any(' -m sphinx -W ' in line for line in lines)
    assert not any('torch' in line for line in lines)
