from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from miniature_training import tiny_config
from miniature_trees import make_seasons

TOOL = 'tools/analysis_tools/run_grid.py'


def printed(done):
    return [shlex.split(line) for line in done.stdout.splitlines()]


def names(commands):
    stems = [Path(a).stem for c in commands for a in c if 'fgsn-c' in a]
    return list(dict.fromkeys(stems))


def test_prints_the_main_grid(call_tool):
    done = call_tool(TOOL, '--print', '--work-dir', '/w')
    commands = printed(done)
    assert names(commands) == [
        f'fgsn-c{k}_r101-d8_pspnet_1xb1-60k_{data}-713x713'
        for k in (20, 100, 200, 1000)
        for data in ('cmu', 'robotcar')
    ]
    for command in commands:
        assert command[1:4] == ['-m', 'fgsn_mmseg', 'train']
        assert Path(command[4]).is_file()
        assert command[5:] == [
            '--work-dir',
            f'/w/{Path(command[4]).stem}',
            '--resume',
        ]


@pytest.mark.parametrize(
    'groups, number',
    [
        (['joined'], 4),
        (['starts'], 16),
        (['ablations'], 12),
        (['main', 'main', 'joined'], 12),
        (['.*4xb1.*'], 2),
    ],
)
def test_groups(call_tool, groups, number):
    assert len(printed(call_tool(TOOL, '--print', *groups))) == number


def test_several_gpus(call_tool):
    done = call_tool(
        *(TOOL, '.*4xb1.*cmu.*', '--print', '--gpus', 4),
        *('--train-args', '--cfg-options a.b=1'),
    )
    (command,) = printed(done)
    assert command[1:9] == [
        *('-m', 'torch.distributed.run', '--standalone'),
        *('--nproc-per-node', '4', '-m', 'fgsn_mmseg', 'train'),
    ]
    assert command[-4:] == [
        *('--cfg-options', 'a.b=1', '--launcher', 'pytorch')
    ]


def test_skips_what_is_finished(tmp_path, call_tool, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713'
    (tmp_path / 'work_dirs' / name).mkdir(parents=True)
    (tmp_path / 'work_dirs' / name / 'iter_60000.pth').touch()
    done = call_tool(TOOL, name)
    assert (done.returncode, done.error) == (0, '')
    assert done.stdout == f'[1/1] {name}: finished before\n'


@pytest.mark.slow
def test_runs_and_skips(tmp_path, call_tool, monkeypatch):
    """One real training of one iteration; then nothing is left to do."""
    root = make_seasons(tmp_path / 'data', 'CMU')
    for name in ('corr_train.txt', 'corr_val.txt'):
        (root / name).write_text('corr_0_0.mat\ncorr_1_0.mat\n')
    (tmp_path / 'configs').mkdir()
    tiny_config(
        'fgsn/fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713',
        tmp_path / 'configs',
        iters=1,
        model__init_cfg=None,
        train_dataloader__dataset__ann_file='corr_train.txt',
        custom_hooks__0__dataloader__dataset__reference_image_names=None,
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    done = call_tool(TOOL, '--configs', 'configs')
    assert done.returncode == 0, done.error
    folder = Path('work_dirs/fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713')
    assert (folder / 'iter_1.pth').is_file()
    done = call_tool(TOOL, '--configs', 'configs')
    assert 'finished before' in done.stdout
    # What fails is told, and stops the others not.
    (folder / 'iter_1.pth').unlink()
    (folder / 'last_checkpoint').unlink()
    (root / 'corr_train.txt').unlink()
    done = call_tool(TOOL, '--configs', 'configs')
    assert done.returncode == 1
    assert done.error.startswith('error: 1 of 1 experiments failed')


def test_broken_input(tmp_path, call_tool):
    for groups in (['nothing'], ['(']):
        done = call_tool(TOOL, '--print', *groups)
        assert done.returncode == 1
        assert done.error.startswith('error: `groups` should be')
        assert '\n' not in done.error
    done = call_tool(TOOL, '--print', '--configs', tmp_path)
    assert done.returncode == 1


def test_help_shows_every_default(check_help):
    check_help(TOOL)
