"""The tutorials are notebooks kept as text: each runs as one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from blocks import REPO, TUTORIALS
from worlds import World


def _notebook(page):
    jupytext = pytest.importorskip('jupytext', reason='extra `dev`')
    return jupytext.read(page)


@pytest.mark.parametrize('page', TUTORIALS, ids=lambda page: page.stem)
def test_is_a_notebook(page):
    """Every block of bash and python is a cell, and nothing else is."""
    notebook = _notebook(page)
    assert notebook.metadata['kernelspec']['name'] == 'python3'
    cells = [x.source for x in notebook.cells if x.cell_type == 'code']
    text = page.read_text(encoding='utf-8')
    assert len(cells) == text.count('\n```bash\n') + text.count(
        '\n```python\n'
    )
    assert len(cells) >= 5
    for cell in cells:
        if not cell.startswith('%%bash\n'):
            compile(cell, str(page), 'exec')


@pytest.mark.slow
@pytest.mark.parametrize('page', TUTORIALS, ids=lambda page: page.stem)
def test_runs(page, tmp_path, monkeypatch):
    """In a folder that looks like a fresh checkout, cell by cell."""
    nbclient = pytest.importorskip('nbclient', reason='extra `dev`')
    World(tmp_path)
    commands = [str(Path(sys.executable).parent), os.environ['PATH']]
    monkeypatch.setenv('PATH', os.pathsep.join(commands))
    paths = [str(REPO), os.environ.get('PYTHONPATH', '')]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    notebook = _notebook(page)
    client = nbclient.NotebookClient(
        notebook,
        timeout=1800,
        kernel_name='python3',
        resources={'metadata': {'path': str(tmp_path)}},
    )
    client.execute()
    ran = [x for x in notebook.cells if x.cell_type == 'code']
    assert all(cell.execution_count for cell in ran)
