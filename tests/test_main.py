"""`python -m fgsn_mmseg TOOL`, as a user types it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import mmseg
import pytest

from fgsn_mmseg import __main__ as launcher

CONFIG = 'fgsn::fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'


@pytest.fixture
def launch(repo_root, tmp_path):
    """`launch('train', ...)` runs the command in an empty folder."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, '-m', 'fgsn_mmseg', *map(str, arguments)],
            cwd=tmp_path,
            env={
                **os.environ,
                'PYTHONPATH': str(repo_root),
                'OMP_NUM_THREADS': '1',
            },
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


def test_every_tool_of_mmseg_and_ours_is_found(repo_root):
    tools = launcher.find_tools()
    theirs = Path(mmseg.__file__).parent / '.mim/tools'
    ours = repo_root / 'tools'
    for folder in (theirs, ours):
        for path in folder.rglob('*.py'):
            script = "__name__ == '__main__'" in path.read_text()
            assert (path.stem in tools) or not script, path
    assert tools['train'] == theirs / 'train.py'
    assert tools['benchmark'] == theirs / 'analysis_tools/benchmark.py'
    assert tools['label_images'].samefile(ours / 'label_images.py')
    # There are two of this name; that of misc writes no pictures.
    assert tools['browse_dataset'].parent.name == 'analysis_tools'


@pytest.mark.parametrize('arguments', [(), ('-h',), ('--help',)])
def test_alone_it_lists_the_tools(capsys, arguments):
    launcher.main(list(arguments))
    (line,) = capsys.readouterr().out.splitlines()
    listed = line.partition('TOOL: ')[2].split(', ')
    assert listed == sorted(launcher.find_tools())
    assert {'train', 'test', 'get_flops', 'print_config'} <= set(listed)


def test_unknown_tool(launch):
    done = launch('trian', 'config.py')
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(
        '`TOOL` should be one of .*, print_config, .*, train, .*, but got '
        "'trian'.",
        last,
    )


def test_tool_gets_its_arguments(launch, repo_root, tmp_path):
    """`print_config` imports mmseg.apis first: no good with mmcv-lite."""
    tmp_path.joinpath('mine.py').write_text(
        f"_base_ = ['{repo_root}/configs/fgsn/{CONFIG.split('::')[1]}']\n"
    )
    done = launch(
        'print_config', 'mine.py', '--cfg-options', 'model.num_clusters=77'
    )
    assert done.returncode == 0, done.stderr
    assert "type='FGSN'" in done.stdout
    assert 'num_clusters=77,' in done.stdout


def test_script_sees_itself(tmp_path, monkeypatch):
    script = tmp_path / 'speak.py'
    script.write_text(
        'import sys\n'
        'assert __name__ == "__main__" and __file__ == sys.argv[0]\n'
        'raise SystemExit(f"{sys.argv[1:]}")\n'
    )
    monkeypatch.setattr(launcher, 'find_tools', lambda: {'speak': script})
    monkeypatch.setattr(sys, 'argv', ['python -m fgsn_mmseg'])
    with pytest.raises(SystemExit, match=r"\['--a', 'b c', '-h'\]"):
        launcher.main(['speak', '--a', 'b c', '-h'])
