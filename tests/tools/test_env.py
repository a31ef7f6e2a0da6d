from __future__ import annotations

import sys
from importlib import metadata

import mmengine
import numpy
import torch

from fgsn_mmseg import compat
from fgsn_mmseg.__main__ import find_tools
from fgsn_mmseg.apis import environment


def test_what_is_told(repo_root, call_tool):
    """By `python -m fgsn_mmseg env`, against the packages themselves."""
    assert find_tools()['env'].samefile(repo_root / 'tools/env.py')
    done = call_tool('tools/env.py')
    assert done.returncode == 0, done.error
    lines = dict(
        line.split(': ', 1)
        for line in done.stdout.splitlines()
        if ': ' in line
    )
    assert lines['Python'] == sys.version.replace('\n', '')
    assert lines['PyTorch'] == torch.__version__
    assert lines['MMEngine'] == mmengine.__version__
    assert lines['numpy'] == numpy.__version__
    assert lines['fgsn-mmseg'] == '0.1.0'
    here = [
        name
        for family in compat.FAMILIES
        for name in compat.recorded_distributions(family)
    ]
    assert len(here) == 3
    for name in here:
        assert lines[name] == metadata.version(name)
    assert lines['mmcv.ops'].startswith(('compiled', 'stand-in'))


def test_missing_and_compiled(monkeypatch):
    """What is not installed is told as such, and compiled operators are."""
    module = sys.modules['fgsn_mmseg.apis.environment']
    monkeypatch.setattr(module, '_version', lambda name: None)
    monkeypatch.setattr(module, 'find_spec', lambda name: object())
    told = environment()
    assert told['pycolmap'] == 'not installed'
    assert told['mmcv.ops'] == 'compiled'
    assert not {'mmcv', 'mmcv-lite', 'onedl-mmcv'} & set(told)
