from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from miniature_trees import make_vistas
from PIL import Image

TOOL = 'tools/dataset_converters/vistas_to_cityscapes.py'


@pytest.fixture
def tool(call_tool):
    return partial(call_tool, TOOL)


def test_converts_both_splits_and_skips_what_is_done(tmp_path, tool):
    root = make_vistas(tmp_path)
    out = tmp_path / 'out'
    done = tool(root, '--out-dir', out, '--nproc', 2)
    assert 'training: 3 label maps, 3 written now' in done.stdout
    assert 'validation: 3 label maps, 3 written now' in done.stdout
    written = sorted(out.rglob('*.png'))
    assert len(written) == 6
    assert {p.parent.parent.name for p in written} == {
        'training',
        'validation',
    }
    with Image.open(written[0]) as image:
        ids = set(np.unique(np.asarray(image)))
    assert ids <= {*range(19), 255}
    written[0].unlink()
    done = tool(root, '--out-dir', out, '--splits', 'training')
    assert 'training: 3 label maps, 1 written now' in done.stdout
    assert 'validation' not in done.stdout


def test_as_a_user_runs_it(tmp_path, repo_root, run_tool):
    root = make_vistas(tmp_path)
    done = run_tool(repo_root / TOOL, root)
    assert 'validation: 3 label maps, 3 written now' in done.stdout


def test_broken_input(tmp_path, tool):
    done = tool(tmp_path)
    assert done.returncode != 0
    assert done.error.startswith('error: ') and '\n' not in done.error
    assert 'training/labels' in done.error
    root = make_vistas(tmp_path)
    broken = next((root / 'training/labels').glob('*.png'))
    broken.write_bytes(b'no picture')
    done = tool(root, '--nproc', 1)
    assert done.returncode != 0
    assert broken.name in done.error and '\n' not in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
