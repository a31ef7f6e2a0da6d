"""Folders as a killed run leaves them, and what `--resume` makes of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from benchmarks.loader import make_pairs
from fgsn_mmseg.files import whole_file
from kill_trials import differences
from kill_trials.small_run import SIZE, small_config

BEST = 'best_match_bits_iter_*.pth'


class Watch(Hook):
    """What lies in the folder while a file is made, and what is done."""

    priority = 'LOWEST'

    def __init__(self, keep_before_val=None):
        self.keep_before_val = keep_before_val
        self.seen, self.steps, self.validations = [], [], []

    def before_save_checkpoint(self, runner, checkpoint):
        self.seen.append(names(runner.work_dir))

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.steps.append(runner.iter)

    def before_val(self, runner):
        self.validations.append(runner.iter)
        if runner.iter == 6 and self.keep_before_val is not None:
            shutil.copytree(runner.work_dir, self.keep_before_val)


class QuietRunner(Runner):
    def _log_env(self, env_cfg):
        pass


def names(folder):
    return sorted(path.name for path in Path(folder).glob('*.pth*'))


def train(root, work_dir, resume=True, **options):
    """Returns the hook that watched, and the runner."""
    config = small_config(root, work_dir, 0)
    config.merge_from_dict(
        {key.replace('__', '.'): value for key, value in options.items()}
    )
    config.resume = resume
    runner = QuietRunner.from_cfg(config)
    watch = Watch(options.get('keep'))
    runner.register_hook(watch)
    runner.train()
    return watch, runner


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pairs')
    make_pairs(str(folder), SIZE)
    return folder


@pytest.fixture(scope='module')
def runs(root, tmp_path_factory):
    """`whole`; `six`, as it was before the validation at iteration 6."""
    folder = tmp_path_factory.mktemp('runs')
    watch, _ = train(root, folder / 'whole', resume=False, keep=folder / 'six')
    assert watch.validations == [3, 6, 9, 12]
    return folder, watch


@pytest.fixture
def copy(runs, tmp_path):
    """`copy('six')` is a folder of its own, in another place."""

    def make(name):
        return Path(shutil.copytree(runs[0] / name, tmp_path / name))

    return make


def test_an_old_file_goes_after_the_new_one_is_there(runs):
    folder, watch = runs
    assert watch.seen[0] == []
    # max_keep_ckpts = 1, and yet there is always one to go on from.
    assert all(any('iter_' in n for n in seen) for seen in watch.seen[1:])
    bests = [[n for n in seen if 'best' in n] for seen in watch.seen]
    first = next(i for i, found in enumerate(bests) if found)
    assert all(bests[first:])
    found = names(folder / 'whole')
    assert found[-1] == 'iter_12.pth' and len(found) == 2
    assert (folder / 'whole/last_checkpoint').read_text() == str(
        folder / 'whole/iter_12.pth'
    )


def test_a_lost_validation_is_made_up_for(root, runs, copy):
    work_dir = copy('six')
    assert 'iter_6.pth' in names(work_dir)
    watch, _ = train(root, work_dir)
    assert watch.validations == [6, 9, 12]
    assert watch.steps == [6, 7, 8, 9, 10, 11]
    assert differences(runs[0] / 'whole', work_dir) == []


def test_the_last_validation_too(root, runs, copy):
    """No iteration is left; the best checkpoint may still be missing."""
    work_dir = copy('six')
    watch, _ = train(root, work_dir, train_cfg__max_iters=6)
    assert watch.validations == [6] and watch.steps == []
    assert list(work_dir.glob(BEST))


def test_a_validation_is_not_repeated(root, runs, copy):
    """The last one was the best: its checkpoint was written after it."""
    work_dir = copy('whole')
    if not list(work_dir.glob('best_*_12.pth')):
        pytest.skip('with these versions another iteration is the best')
    last = work_dir / 'last_checkpoint'
    with whole_file(last) as path:
        Path(path).touch()
    torn = Path(path)
    torn.write_text('/half/a/na')  # killed while it wrote this
    watch, _ = train(root, work_dir)
    assert watch.validations == watch.steps == []
    assert last.read_text() == str(work_dir / 'iter_12.pth')
    assert not torn.exists()


def test_what_does_not_load_is_passed_over(root, runs, copy, caplog):
    work_dir = copy('six')
    torn = work_dir / 'iter_9.pth'
    content = (work_dir / 'iter_6.pth').read_bytes()
    torn.write_bytes(content[: len(content) // 2])
    (work_dir / 'last_checkpoint').write_text(str(torn))
    watch, runner = train(root, work_dir, log_level='WARNING')
    assert watch.steps[0] == 6
    assert differences(runs[0] / 'whole', work_dir) == []
    log = (Path(runner.log_dir) / f'{runner.timestamp}.log').read_text()
    assert f'{torn} does not load (it is cut off)' in log


@pytest.mark.parametrize('last', ['', None, '/elsewhere/run/iter_6.pth'])
def test_last_checkpoint(root, copy, last):
    work_dir = copy('six')
    path = work_dir / 'last_checkpoint'
    path.write_text(last) if last is not None else path.unlink()
    watch, _ = train(root, work_dir, train_cfg__max_iters=7)
    assert watch.steps == [6]


def test_files_of_an_earlier_run_are_left_alone(root, copy):
    work_dir = copy('six')
    shutil.copy(work_dir / 'iter_6.pth', work_dir / 'iter_9.pth')
    watch, _ = train(root, work_dir, train_cfg__max_iters=7)
    assert watch.steps == [6]
    assert 'iter_9.pth' in names(work_dir)


def test_nothing_loads(root, copy):
    work_dir = copy('six')
    (work_dir / 'iter_6.pth').write_bytes(b'')
    with pytest.raises(ValueError, match='none of the 1 there loads') as got:
        train(root, work_dir)
    assert '\n' not in str(got.value)


def test_nothing_is_there(root, tmp_path):
    watch, _ = train(root, tmp_path / 'new', train_cfg__max_iters=1)
    assert watch.steps == [0]


def test_a_copy_leaves_the_original_alone(root, runs, copy):
    """Its checkpoints name the best one by its former path."""
    original = runs[0] / 'six'
    before = names(original)
    hub = torch.load(original / 'iter_6.pth')['message_hub']
    best = Path(hub['runtime_info']['best_ckpt'])
    assert best.parent == runs[0] / 'whole'
    outside = names(best.parent)
    # As if it were still where the checkpoint says.
    shutil.copy(original / best.name, best.parent)
    work_dir = copy('six')
    train(root, work_dir)
    assert len(list(work_dir.glob(BEST))) == 1
    assert best.exists() and names(original) == before
    if best.name not in outside:
        best.unlink()


def test_several_bests(root, tmp_path):
    """Of each there is one file, in the folder of the run."""
    _, runner = train(
        root,
        tmp_path / 'run',
        default_hooks__checkpoint__save_best=['match_bits', 'chance'],
        default_hooks__checkpoint__rule=['greater', 'less'],
        train_cfg__max_iters=6,
    )
    found = [n for n in names(tmp_path / 'run') if n.startswith('best')]
    keys = [re.sub(r'best_(.+)_iter_\d+.pth', r'\1', name) for name in found]
    assert keys == ['chance', 'match_bits']
    (hook,) = [h for h in runner.hooks if 'Checkpoint' in type(h).__name__]
    paths = sorted(Path(p).name for p in hook.best_ckpt_path_dict.values())
    assert paths == found
