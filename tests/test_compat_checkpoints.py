from __future__ import annotations

import io
import os
import pickle
import re

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner, load_checkpoint
from mmengine.testing.runner_test_case import ToyDataset, ToyMetric, ToyModel

from fgsn_mmseg import compat
from fgsn_mmseg.models.converters.checkpoint_file import read_checkpoint

protected_torch_only = pytest.mark.skipif(
    torch.__version__ < (2, 6), reason='torch < 2.6 loads without protection'
)


def toy_runner(work_dir, max_iters, **kwargs):
    return Runner(
        model=ToyModel(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=ToyDataset(),
            sampler=dict(type='InfiniteSampler', shuffle=True),
            batch_size=3,
        ),
        train_cfg=dict(by_epoch=False, max_iters=max_iters, val_interval=2),
        val_dataloader=dict(
            dataset=ToyDataset(),
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_size=3,
        ),
        val_cfg=dict(),
        val_evaluator=[ToyMetric()],
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        param_scheduler=dict(type='LinearLR', by_epoch=False, end=8),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(
                type='CheckpointHook',
                by_epoch=False,
                interval=2,
                save_best='acc',
                rule='greater',
            ),
        ),
        log_level='ERROR',
        **kwargs,
    )


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint as a run of mmengine leaves it."""
    toy_runner(tmp_path / 'run', max_iters=4).train()
    return tmp_path / 'run' / 'iter_4.pth'


class TestCheckpoints:
    def test_loads(self, checkpoint):
        content = torch.load(checkpoint)
        scalars = content['message_hub']['log_scalars']
        losses = scalars['train/loss']
        assert type(losses) is HistoryBuffer
        history, counts = losses.data
        assert history.shape == counts.shape == (4,)
        assert losses.statistics('mean') == pytest.approx(history.mean())
        assert losses.statistics('current') == history[-1]
        assert content['meta']['iter'] == 4

    def test_resumes(self, checkpoint):
        runner = toy_runner(
            checkpoint.parent, 6, load_from=str(checkpoint), resume=True
        )
        runner.train()
        assert runner.iter == 6
        assert (checkpoint.parent / 'iter_6.pth').is_file()

    def test_loads_after_mmengine_has_loaded(self, checkpoint):
        for _ in range(2):
            load_checkpoint(ToyModel(), str(checkpoint), map_location='cpu')
            rest, state_dict = read_checkpoint(checkpoint)
            assert rest['meta']['iter'] == 4
            assert set(state_dict) == set(ToyModel().state_dict())

    @protected_torch_only
    def test_is_refused_without_us(self, checkpoint):
        allowed = torch.serialization.get_safe_globals()
        torch.serialization.clear_safe_globals()
        try:
            with pytest.raises(pickle.UnpicklingError):
                torch.load(checkpoint)
        finally:
            torch.serialization.add_safe_globals(allowed)

    @protected_torch_only
    @pytest.mark.parametrize(
        'dtype', ['f2', 'f4', 'f8', 'i2', 'i4', 'i8', 'u1', '?']
    )
    @pytest.mark.parametrize('module', ['numpy.core', 'numpy._core'])
    def test_numpy_of_any_version(self, dtype, module):
        array = np.array([[0, 1, 1]], dtype)
        file = io.BytesIO()
        torch.save(
            {'array': array, 'scalar': array[0, 1]},
            file,
            _use_new_zipfile_serialization=False,
        )
        data = re.sub(
            rb'numpy\._?core\.multiarray',
            f'{module}.multiarray'.encode(),
            file.getvalue(),
        )
        content = torch.load(io.BytesIO(data))
        assert np.array_equal(content['array'], array)
        assert content['array'].dtype == content['scalar'].dtype == dtype
        assert content['scalar'] == array[0, 1]


@pytest.mark.parametrize('version', ['2.0.1', '2.3.1+cu121', '2.5.1+cpu'])
def test_older_torch_is_left_alone(version, monkeypatch):
    # Up to 2.3 there is no such call; 2.4 and 2.5 have it, but then fail at
    # every protected load if they were given a pair.
    monkeypatch.setattr(torch, '__version__', version)
    monkeypatch.delattr(torch.serialization, 'add_safe_globals', raising=False)
    compat.allow_checkpoint_globals()


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call

    def __call__(self):
        raise NotImplementedError  # pickle wants a called object callable


@pytest.mark.parametrize(
    'call',
    [
        Call(os.system, 'touch broken_into'),
        Call(eval, "open('broken_into', 'w')"),
        Call(exec, "open('broken_into', 'w')"),
        Call(getattr, HistoryBuffer, '__init__'),
        Call(getattr, HistoryBuffer, 'register_statistics'),
        Call(getattr, HistoryBuffer.mean, '__globals__'),
        Call(getattr, HistoryBuffer, 'mean', None),
        Call(getattr, np.ndarray, 'tofile'),
        Call(getattr, torch.Tensor, 'mean'),
        Call(getattr, Call(getattr, HistoryBuffer, 'mean'), '__globals__'),
        Call(Call(getattr, HistoryBuffer, 'mean'), HistoryBuffer([1], [1])),
        Call(np.load, 'broken_into'),
    ],
)
def test_code_is_refused(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({'state_dict': {}, 'meta': call}, 'bad.pth')
    with pytest.raises((pickle.UnpicklingError, TypeError)):
        torch.load('bad.pth', weights_only=True)
    # As torch < 2.6 is asked, whichever this is.
    monkeypatch.setattr(compat, '_torch_allows_pairs', lambda: False)
    if not hasattr(torch._weights_only_unpickler, '_get_allowed_globals'):
        pytest.skip('torch keeps its list elsewhere')
    if not isinstance(call.call[0], Call):  # a mean of numbers harms nobody
        with pytest.raises((pickle.UnpicklingError, TypeError)):
            compat.load_checkpoint_file('bad.pth')
    assert os.listdir() == ['bad.pth']


@protected_torch_only
def test_methods_of_the_history_are_served():
    for name in ('mean', 'min', 'max', 'current'):
        file = io.BytesIO()
        torch.save(Call(getattr, HistoryBuffer, name), file)
        file.seek(0)
        assert torch.load(file) is getattr(HistoryBuffer, name)
    with pytest.raises(pickle.UnpicklingError, match='HistoryBuffer for one'):
        compat._history_buffer_method(os, 'system')
