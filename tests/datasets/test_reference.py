from __future__ import annotations

import multiprocessing
import os
from collections import defaultdict

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmseg.registry import DATASETS
from pair_worlds import make_world

from fgsn_mmseg.datasets import (
    CorrespondenceDataset,
    ReferenceImageDataset,
    read_pair_file,
    reference_index,
)

PAIRS = [
    ('z1.mat', 's/ref/z.png', 's/snow/b.png'),
    ('z2.mat', 's/ref/z.png', 's/rain/c.png'),
    ('a1.mat', 's/ref/a.png', 's/snow/b.png'),
    ('z3.mat', 's/ref/z.png', 's/ref/a.png'),
    ('e1.mat', 's/ref/e.png', 's/snow/b.png'),
]


@pytest.fixture
def world(tmp_path):
    records = make_world(
        tmp_path,
        PAIRS,
        sizes={'s/ref/z.png': (33, 47)},
        points={'z1.mat': 4, 'z2.mat': 1, 'z3.mat': 2, 'e1.mat': 0},
    )
    names = [name for name, _, _ in PAIRS]
    (tmp_path / 'list.txt').write_text('\n'.join(names))
    return tmp_path, records


def build(root, **kwargs):
    kwargs.setdefault('serialize_data', False)
    return ReferenceImageDataset('list.txt', str(root), **kwargs)


def contents(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i['img_path'].split('/images/')[1], i['points']) for i in infos]


def assert_same(dataset, expected):
    found = contents(dataset)
    assert [path for path, _ in found] == sorted(expected)
    for path, points in found:
        assert points.dtype == np.float32
        np.testing.assert_array_equal(points, expected[path])


def naive(records, names=None):
    """All positions of each reference image, by a loop over the pairs."""
    positions = defaultdict(list)
    for name, record in records.items():
        if names is None or name in names:
            positions[record['img_path']] += record['points'].tolist()
    return {
        path: np.array(points, np.float32).reshape(-1, 2)
        for path, points in positions.items()
    }


def count_reads(monkeypatch):
    calls = []

    def read(path):
        calls.append(path)
        return read_pair_file(path)

    monkeypatch.setattr(reference_index, 'read_pair_file', read)
    return calls


def test_all_positions_of_all_pairs(world):
    root, records = world
    for serialize in (False, True):
        dataset = build(root, serialize_data=serialize)
        assert [len(points) for _, points in contents(dataset)] == [6, 0, 7]
        assert_same(dataset, naive(records))


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
    changed = make_world(root, [('z2.mat', *PAIRS[1][1:])], seed=9)
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


def test_both_directions_as_the_pairs(world):
    root, _ = world
    dataset = build(root, both_directions=True)
    pairs = CorrespondenceDataset(
        'list.txt',
        str(root),
        pipeline=[dict(type='LoadCorrespondences')],
        both_directions=True,
    )
    expected = defaultdict(list)
    for pair in pairs:
        path = pair['img_path'].split('/images/')[1]
        expected[path] += pair['points'].tolist()
    assert set(expected) == {
        f's/{p}.png' for p in ('ref/z', 'ref/a', 'ref/e', 'snow/b', 'rain/c')
    }
    assert_same(
        dataset,
        {
            path: np.array(points, np.float32).reshape(-1, 2)
            for path, points in expected.items()
        },
    )


@pytest.mark.parametrize(
    'names',
    [
        ['s/ref/z.png', 's/ref/a.png'],
        ['s/ref/z', 's/ref/a'],
        ['s_z.png', 's_a.png'],
        ['s_z', 's_a', 's_z'],
    ],
)
def test_reference_image_names(world, names):
    root, records = world
    (root / 'names.txt').write_text('\n'.join(names))
    dataset = build(root, reference_image_names='names.txt')
    expected = naive(records)
    del expected['s/ref/e.png']
    assert_same(dataset, expected)


def test_reference_image_without_pair(world):
    root, records = world
    (root / 'names.txt').write_text('s/rain/c.png\ns_nowhere\ns_a\n')
    dataset = build(root, reference_image_names='names.txt')
    expected = {
        's/ref/a.png': naive(records)['s/ref/a.png'],
        's/rain/c.png': np.zeros((0, 2), np.float32),
    }
    assert_same(dataset, expected)
    (root / 'names.txt').write_text('s_nowhere\n')
    with pytest.raises(ValueError, match=r'`reference_image_names`.*nowhere'):
        build(root, reference_image_names='names.txt')
    with pytest.raises(FileNotFoundError, match=r'none\.txt'):
        build(root, reference_image_names='none.txt')


def test_broken_pair_file_is_named(world):
    root, _ = world
    (root / 'correspondence_data/a1.mat').write_text('broken')
    with pytest.raises(ValueError, match=r'a1\.mat'):
        build(root)


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


def test_pipeline_of_single_images(world):
    root, _ = world
    dataset = DATASETS.build(
        dict(
            type='ReferenceImageDataset',
            ann_file='list.txt',
            data_root=str(root),
            lazy_init=True,
            indices=[2, 1],
            pipeline=[
                dict(type='LoadImagePair'),
                dict(type='ResizePair', short_side=66),
                dict(type='PackPairInputs'),
            ],
        )
    )
    packed = dataset[0]
    assert packed['inputs'].shape == (3, 66, 94)
    assert packed['inputs'].dtype == torch.uint8
    sample = packed['data_samples']
    assert sample.img_path.endswith('s/ref/z.png')
    points = dataset.get_data_info(0)['points']
    np.testing.assert_allclose(
        sample.points, (points + 0.5) * 2 - 0.5, atol=1e-5
    )
    assert dataset[1]['data_samples'].points.shape == (0, 2)


def test_real_files(sacre_coeur, tmp_path):
    dataset = ReferenceImageDataset(
        'corr_train.txt', str(sacre_coeur), cache_dir=str(tmp_path)
    )
    names = (sacre_coeur / 'corr_train.txt').read_text().split()
    folder = sacre_coeur / 'correspondence_data'
    records = {name: read_pair_file(folder / name) for name in names}
    assert_same(dataset, naive(records))
    assert len(dataset) == 8
