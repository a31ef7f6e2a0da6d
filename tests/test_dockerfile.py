"""The Dockerfile's steps, without a Docker engine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
# What a step of the image needs from the repository.
NEEDED = ['Makefile', 'pyproject.toml', 'requirements', 'fgsn_mmseg', 'README']


def instructions():
    """(name, arguments) of each instruction, comments left out."""
    text = (REPO / 'Dockerfile').read_text()
    lines = [x for x in text.splitlines() if not x.lstrip().startswith('#')]
    joined = '\n'.join(lines).replace('\\\n', ' ')
    return [tuple(x.split(None, 1)) for x in joined.splitlines() if x.strip()]


def run_commands():
    """Every command of every RUN line, as words."""
    return [
        shlex.split(command)
        for name, rest in instructions()
        if name == 'RUN'
        for command in rest.split('&&')
    ]


def test_has_the_steps_that_it_should():
    names = [name for name, _ in instructions()]
    assert names[0] == 'FROM'
    assert set(names) <= {'FROM', 'ENV', 'RUN', 'WORKDIR', 'COPY', 'CMD'}
    steps = [' '.join(command) for command in run_commands()]
    # The same target as everywhere: one way to install.
    assert 'make setup' in steps
    assert names.index('COPY') < len(names) - names[::-1].index('RUN') - 1
    assert not any(step.startswith('pip') for step in steps)


@pytest.mark.parametrize('command', run_commands(), ids=' '.join)
def test_every_command_exists(command):
    if command[0] == 'apt-get' and not shutil.which('apt-get'):
        pytest.skip('no Debian or Ubuntu')
    assert shutil.which(command[0]), command
    if command[0] != 'make':
        return
    # All it would do, without doing it.
    done = subprocess.run(
        [*command, '--dry-run', '--always-make'],
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'pip install' in done.stdout


def test_packages_have_names_that_apt_takes():
    (install,) = [c for c in run_commands() if c[:2] == ['apt-get', 'install']]
    assert '-y' in install  # nobody is there to answer
    packages = [word for word in install[2:] if not word.startswith('-')]
    assert {'git', 'make'} <= set(packages)
    for package in packages:
        assert re.fullmatch(r'[a-z0-9][a-z0-9+.-]+', package)


def test_copy_takes_what_the_steps_need():
    text = (REPO / '.dockerignore').read_text()
    patterns = [line.strip('/') for line in text.splitlines() if line]
    assert not set(patterns) & set(NEEDED)
    assert '.venv*' in patterns  # the image makes its own


def test_environment_points_to_what_setup_makes():
    place = dict(instructions())['WORKDIR']
    (path,) = re.findall(
        r'PATH=(\S+):\$PATH',
        ' '.join(rest for name, rest in instructions() if name == 'ENV'),
    )
    assert path == f'{place}/.venv/bin'
    assert 'VENV := .venv\n' in (REPO / 'Makefile').read_text()


@pytest.mark.slow
def test_setup_in_a_clean_copy(tmp_path):
    """`make setup` on a copy of what git knows; needs a package index."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=REPO, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip('no git repository')
    for name in filter(None, listed.stdout.split('\0')):
        if (REPO / name).is_file() or (REPO / name).is_symlink():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPO / name, tmp_path / name, follow_symlinks=False)
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in ('PYTHONPATH', 'VIRTUAL_ENV', 'MAKEFLAGS')
    }
    for command in run_commands():
        if command[0] == 'make':
            subprocess.run(command, cwd=tmp_path, env=env, check=True)
    code = 'import fgsn_mmseg, mmseg.models; print(fgsn_mmseg.__file__)'
    done = subprocess.run(
        [str(tmp_path / '.venv/bin/python'), '-c', code],
        cwd=tmp_path / 'tests',
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / 'fgsn_mmseg/__init__.py')
