"""The wheel in an empty environment, with no checkout in sight."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_runs import PAIRS, make_pairs

from fgsn_mmseg import compat

REPO = Path(__file__).resolve().parents[1]
PARTS = ('fgsn_mmseg', 'configs', 'tools', 'pyproject.toml', 'README.md')
BASE = 'fgsn/fgsn-c20_r18s-d8_pspnet_1xb4-both-160_sacre-coeur-113x113.py'
CONFIG = f"""
_base_ = ['fgsn_mmseg::{BASE}']
train_cfg = dict(max_iters=2, val_interval=2)
default_hooks = dict(checkpoint=dict(interval=2))
train_dataloader = dict(num_workers=0, persistent_workers=False)
"""


def run(*command, cwd, **kwargs):
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in ('PYTHONPATH', 'VIRTUAL_ENV')
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**env, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Built from a copy without what other builds have left behind."""
    folder = tmp_path_factory.mktemp('source')
    for name in (*PARTS, 'model-index.yml'):
        source = REPO / name
        if source.is_dir():
            shutil.copytree(
                source,
                folder / name,
                symlinks=True,
                ignore=shutil.ignore_patterns('__pycache__'),
            )
        else:
            shutil.copy(source, folder / name)
    pip = (sys.executable, '-m', 'pip', 'wheel', '--no-deps')
    run(*pip, '--wheel-dir', 'dist', '.', cwd=folder)
    (path,) = (folder / 'dist').glob('*.whl')
    return path


@pytest.fixture(scope='module')
def python(wheel, tmp_path_factory):
    """The interpreter of an environment that holds nothing but the wheel."""
    folder = tmp_path_factory.mktemp('empty') / 'venv'
    run(sys.executable, '-m', 'venv', folder, cwd=folder.parent)
    interpreter = folder / 'bin/python'
    extra = 'onedl' if compat.recorded_distributions('onedl') else 'lite'
    constraints = REPO / 'requirements/constraints.txt'
    pip = (interpreter, '-m', 'pip', 'install', '--constraint', constraints)
    run(*pip, 'torch', cwd=folder)
    run(*pip, f'{wheel}[{extra}]', cwd=folder)
    return interpreter


@pytest.mark.slow
def test_holds_what_mim_looks_for(wheel):
    assert wheel.stat().st_size < 1_000_000
    names = run(sys.executable, '-m', 'zipfile', '-l', wheel, cwd=REPO)
    inside = set(re.findall(r'^fgsn_mmseg/\.mim/(\S+)', names, re.MULTILINE))
    expected = {'model-index.yml'}
    for folder in ('configs', 'tools'):
        for path in (REPO / folder).rglob('*'):
            if path.suffix in ('.py', '.yml', '.md'):
                expected.add(str(path.relative_to(REPO)))
    assert inside == expected
    assert (
        f'configs/{BASE}' in inside and 'configs/fgsn/metafile.yml' in inside
    )
    tops = set(re.findall(r'^([\w.-]+)/', names, re.MULTILINE))
    assert {name for name in tops if not name.endswith('info')} == {
        'fgsn_mmseg'
    }


@pytest.mark.slow
def test_trains_and_labels_without_a_checkout(python, tmp_path):
    root = make_pairs(tmp_path / 'data/sacre_coeur', size=(140, 170))
    names = ''.join(f'{name}\n' for name, _, _ in PAIRS)
    for list_name in ('corr_train.txt', 'corr_val.txt'):
        (root / list_name).write_text(names)
    (tmp_path / 'mine.py').write_text(CONFIG)
    code = 'import fgsn_mmseg; print(fgsn_mmseg.__file__)'
    where = run(python, '-W', 'ignore', '-c', code, cwd=tmp_path)
    assert where.splitlines()[-1].startswith(str(python.parents[1]))
    launch = (python, '-m', 'fgsn_mmseg')
    log = run(*launch, 'train', 'mine.py', cwd=tmp_path)
    assert 'Clustering at iteration 0: ' in log
    assert re.search(r'Iter\(val\).*match_bits: [\d.]+', log)
    assert 'Failed to search registry' not in log
    checkpoint = 'work_dirs/mine/iter_2.pth'
    log = run(*launch, 'test', 'mine.py', checkpoint, cwd=tmp_path)
    assert re.search(r'Iter\(test\).*agreement: [\d.]+', log)
    listed = run(*launch, cwd=tmp_path)
    assert {'label_images', 'get_flops'} <= set(re.findall(r'\w+', listed))


@pytest.mark.slow
def test_configs_by_name(python, tmp_path):
    """As mim and `mmengine.hub` look a config up, through the metafile."""
    name = 'fgsn/fgsn-c100_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'
    code = (
        'import fgsn_mmseg; from mmengine.hub import get_config; '
        f'cfg = get_config("fgsn_mmseg::{name}"); '
        'print(cfg.model.type, cfg.model.num_clusters, cfg.filename)'
    )
    said = run(python, '-W', 'ignore', '-c', code, cwd=tmp_path)
    kind, number, path = said.splitlines()[-1].split()
    assert (kind, number) == ('FGSN', '100')
    assert Path(path).is_file() and not Path(path).is_symlink()
    assert path.startswith(str(python.parents[1]))
