"""Fixtures for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import mmseg
import pytest
from mmengine.registry import DefaultScope
from mmengine.utils import ManagerMixin

import fgsn_mmseg  # noqa: F401  before mmseg.models, which needs mmcv.ops

REPO_ROOT = Path(__file__).resolve().parents[1]


def _managed_classes(base=ManagerMixin):
    for cls in base.__subclasses__():
        yield cls
        yield from _managed_classes(cls)


@pytest.fixture(autouse=True)
def mmengine_state():
    """Start in scope 'mmseg', and leave no logger, hub or visualizer."""
    DefaultScope.get_instance('tests', scope_name='mmseg')
    yield
    for cls in set(_managed_classes()):
        for instance in cls._instance_dict.values():
            for handler in getattr(instance, 'handlers', []):
                handler.close()
        cls._instance_dict.clear()


@pytest.fixture(scope='session')
def repo_root() -> Path:
    """Folder of this repository."""
    return REPO_ROOT


@pytest.fixture(scope='session')
def sacre_coeur() -> Path:
    """Folder of ten photos with correspondence files, never written to."""
    root = REPO_ROOT.parent / 'shared' / 'data' / 'sacre_coeur'
    if not root.is_dir():
        pytest.skip('../shared/data/sacre_coeur is not on this machine')
    return root


@pytest.fixture(scope='session')
def mmseg_tool():
    """`mmseg_tool('train')` is the path of mmseg's own tools/train.py."""

    def find(name: str) -> Path:
        path = Path(mmseg.__file__).parent / '.mim/tools' / f'{name}.py'
        if not path.is_file():
            pytest.skip(f'mmseg is installed without tools/{name}.py')
        return path

    return find


@pytest.fixture(scope='session')
def run_tool():
    """`run_tool(script, *args)` runs a script as a user would.

    Fails the test when the script fails, unless `check=False`; what the
    script wrote is in the report of a failed test.
    """

    def run(script, *args, check=True, cwd=None, timeout=240, env=None):
        paths = [str(REPO_ROOT), os.environ.get('PYTHONPATH', '')]
        done = subprocess.run(
            [sys.executable, str(script), *map(str, args)],
            cwd=cwd,
            timeout=timeout,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                'PYTHONPATH': os.pathsep.join(filter(None, paths)),
                'OMP_NUM_THREADS': '1',
                **(env or {}),
            },
        )
        if done.returncode:
            print(done.stdout, done.stderr, sep='\n')
        if check:
            assert done.returncode == 0, done.stderr[-2000:]
        return done

    return run


@pytest.fixture
def site(tmp_path):
    """A copy of what is installed, made of links, that a test may change."""
    folder = tmp_path / 'site'
    folder.mkdir()
    paths = sysconfig.get_paths()
    for source in {paths['purelib'], paths['platlib']}:
        for entry in Path(source).iterdir():
            if not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture
def import_in(repo_root):
    """Run code with the packages of `site` and this one, nothing else."""

    def run(site, code):
        return subprocess.run(
            [sys.executable, '-S', '-W', 'ignore', '-c', code],
            env={
                **os.environ,
                'PYTHONPATH': os.pathsep.join([str(site), str(repo_root)]),
                'OMP_NUM_THREADS': '1',
            },
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
