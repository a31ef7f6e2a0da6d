"""Running a tool without paying for its imports again."""

from __future__ import annotations

import re
import runpy
import sys
from types import SimpleNamespace

import pytest


@pytest.fixture
def call_tool(repo_root, monkeypatch, capsys):
    """`call_tool('tools/x.py', *args)` runs a script in this process.

    Returns its exit status, its output and, of what it wrote to stderr, the
    error with which it ended.
    """

    def call(script, *args):
        script = str(repo_root / script)
        monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
        capsys.readouterr()
        error, code = '', 0
        try:
            runpy.run_path(script, run_name='__main__')
        except SystemExit as stop:
            if isinstance(stop.code, str):
                error, code = stop.code, 1
            else:
                code = stop.code or 0
        return SimpleNamespace(
            returncode=code, stdout=capsys.readouterr().out, error=error
        )

    return call


@pytest.fixture
def check_help(call_tool):
    """Every flag of a tool's `--help` is to show its default."""

    def check(script):
        text = ' '.join(call_tool(script, '--help').stdout.split())
        options = text.split(' options: ')[-1]
        flags = set(re.findall(r'(?<= )--[a-z][a-z-]+(?=[ ,])', options))
        assert flags - {'--help'}
        assert options.count('(default: ') >= len(flags - {'--help'})

    return check
