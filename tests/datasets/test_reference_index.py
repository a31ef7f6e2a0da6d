from __future__ import annotations

import multiprocessing
import os

import numpy as np
import pytest
from mmengine.logging import MMLogger
from pair_worlds import make_world
from reference_worlds import (
    REFERENCE_PAIRS,
    assert_same,
    build,
    contents,
    make_reference_world,
    naive,
)

from fgsn_mmseg.datasets import (
    ReferenceImageDataset,
    read_pair_file,
    reference_index,
)


@pytest.fixture
def world(tmp_path):
    return tmp_path, make_reference_world(tmp_path)


def count_reads(monkeypatch):
    calls = []

    def read(path):
        calls.append(path)
        return read_pair_file(path)

    monkeypatch.setattr(reference_index, 'read_pair_file', read)
    return calls


def test_second_start_reads_the_index_alone(world, monkeypatch):
    root, records = world
    calls = count_reads(monkeypatch)
    for expected_reads in (5, 0):
        calls.clear()
        assert_same(build(root), naive(records))
        assert len(calls) == expected_reads
    assert len(list(root.glob('reference_index_*.npz'))) == 1
    assert not list(root.glob('*.partial'))


def test_other_list_other_index(world):
    root, records = world
    build(root)
    (root / 'short.txt').write_text('z2.mat\na1.mat\n')
    dataset = ReferenceImageDataset('short.txt', str(root))
    assert_same(dataset, naive(records, {'z2.mat', 'a1.mat'}))
    assert len(list(root.glob('reference_index_*.npz'))) == 2
    assert_same(build(root), naive(records))


def test_changed_file_makes_the_index_stale(world, monkeypatch):
    root, records = world
    build(root)
    changed = make_world(root, [('z2.mat', *REFERENCE_PAIRS[1][1:])], seed=9)
    calls = count_reads(monkeypatch)
    assert_same(build(root), naive({**records, **changed}))
    assert len(calls) == 5
    # The same size, another time: a file that was written again.
    os.utime(root / 'correspondence_data/a1.mat', (1, 1))
    calls.clear()
    build(root)
    assert len(calls) == 5


@pytest.mark.parametrize('damage', ['cut', 'text', 'empty', 'fields', 'short'])
def test_broken_index_is_built_anew(world, damage):
    root, records = world
    build(root)
    (path,) = root.glob('reference_index_*.npz')
    if damage == 'cut':
        path.write_bytes(path.read_bytes()[:200])
    elif damage in ('text', 'empty'):
        path.write_text('no index' if damage == 'text' else '')
    else:
        with np.load(path) as file:
            fields = dict(file)
        if damage == 'fields':
            del fields['offsets']
        else:
            fields['points'] = fields['points'][:-1]
        np.savez(path, **fields)
    assert_same(build(root), naive(records))
    assert_same(build(root), naive(records))


def test_unwritable_folder_warns_and_goes_on(world, monkeypatch):
    root, records = world
    (root / 'file').write_text('')
    lines = []
    logger = MMLogger.get_instance('tests', logger_name='tests')
    monkeypatch.setattr(logger, 'log', lambda level, msg: lines.append(msg))
    dataset = build(root, cache_dir=str(root / 'file' / 'cache'))
    assert_same(dataset, naive(records))
    assert len(lines) == 1 and '`cache_dir`' in lines[0]


def test_cache_dir(world):
    root, records = world
    folder = root / 'new' / 'cache'
    assert_same(build(root, cache_dir=str(folder)), naive(records))
    assert len(list(folder.iterdir())) == 1
    assert not list(root.glob('reference_index_*.npz'))


def test_progress_bar_for_many_files(world, monkeypatch, capsys):
    root, _ = world
    monkeypatch.setattr(reference_index, '_MIN_FILES_FOR_BAR', 5)
    build(root)
    assert '5/5' in capsys.readouterr().err


def _build_in_process(root, queue):
    dataset = build(root)
    queue.put([len(points) for _, points in contents(dataset)])


@pytest.mark.ddp
def test_several_processes_at_once(world):
    root, records = world
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    processes = [
        context.Process(target=_build_in_process, args=(root, queue))
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    found = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert found == [[6, 0, 7]] * 4
    assert not list(root.glob('*.partial'))
    assert_same(build(root), naive(records))
