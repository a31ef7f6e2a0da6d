"""The comparison of two runs has to be able to fail."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from mmengine.logging import HistoryBuffer

from kill_trials import differences


def log(folder, *rows):
    path = folder / '20200101_000000' / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))


@pytest.fixture
def runs(tmp_path):
    """Two folders with the same in them."""
    first, second = tmp_path / 'first', tmp_path / 'second'
    log(first, dict(loss=0.5, time=3.0, step=1))
    torch.save(
        dict(
            meta=dict(iter=1),
            state_dict=dict(a=torch.tensor([1.0, float('nan')])),
            optimizer=dict(state={0: dict(momentum=torch.ones(2))}),
            message_hub=dict(
                log_scalars={
                    'train/loss': HistoryBuffer([0.5], [1]),
                    'train/time': HistoryBuffer([3.0], [1]),
                },
                runtime_info=dict(best_score=0.25, cfg='x'),
            ),
        ),
        first / 'iter_1.pth',
    )
    shutil.copytree(first, second)
    return first, second


def test_equal(runs):
    assert differences(*runs) == []


def test_time_does_not_count(runs):
    log(runs[1], dict(loss=0.5, time=4.0, step=1))
    assert differences(*runs) == []


def test_a_logged_value(runs):
    log(runs[1], dict(loss=0.5000000000000001, time=3.0, step=1))
    assert [d[:9] for d in differences(*runs)] == ['log: loss']


@pytest.mark.parametrize('name', ['iter_2.pth', '.abc.part'])
def test_a_file_more(runs, name):
    shutil.copy(runs[0] / 'iter_1.pth', runs[1] / name)
    (found,) = differences(*runs)
    assert name in found


def change(content, where):
    if where == 'state_dict':
        content['state_dict']['a'][0] = torch.nextafter(
            torch.tensor(1.0), torch.tensor(2.0)
        )
    elif where == 'optimizer':
        content['optimizer']['state'][0]['momentum'][1] = 2
    elif where == 'history':
        content['message_hub']['log_scalars']['train/loss'].update(0.5)
    elif where == 'info':
        content['message_hub']['runtime_info']['best_score'] = 0.5
    else:
        content['meta']['iter'] = 2


@pytest.mark.parametrize(
    'where', ['state_dict', 'optimizer', 'history', 'info', 'iter']
)
def test_inside_of_a_checkpoint(runs, where):
    path = runs[1] / 'iter_1.pth'
    content = torch.load(path)
    change(content, where)
    torch.save(content, path)
    (found,) = differences(*runs)[:1]
    assert found.startswith(f'iter_1.pth: {where}')
