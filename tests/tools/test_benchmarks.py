"""What the benchmarks do and count; how long it takes is never tested."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from benchmarks import clustering as clustering_parts
from benchmarks import loader as loaders
from benchmarks import networks, training
from benchmarks.clustering import (
    benchmark_assignment,
    benchmark_clustering,
    benchmark_label_options,
)
from benchmarks.inference import benchmark_inference
from benchmarks.loader import (
    NUM_PAIRS,
    benchmark_loader,
    pair_set,
)
from benchmarks.measuring import (
    MeasuredProcess,
    Stopwatch,
    held,
    new_table,
    peak_memory,
    take_turns,
    value_of,
)
from benchmarks.training import benchmark_training
from benchmarks.training_steps import TrainingSteps
from fgsn_mmseg.datasets import CorrespondenceDataset


class Clock:
    """A clock that only what is measured moves."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time

    def work(self, seconds):
        self.time += seconds


class Machine:
    def __init__(self, clock):
        self.clock = clock

    def outer(self):
        self.clock.work(1)
        self.inner(3)
        self.clock.work(0.5)
        return 'done'

    def inner(self, seconds):
        self.clock.work(seconds)


def test_parts_are_exclusive_and_add_up():
    clock = Clock()
    watch = Stopwatch(clock=clock)
    machine = Machine(clock)
    watched = ((machine, 'outer', 'outer'), (machine, 'inner', 'inner'))
    with watch.watching(*watched), watch.part('rest'):
        clock.work(0.25)
        assert machine.outer() == 'done'
        machine.inner(2)
    assert watch.seconds == dict(rest=0.25, outer=1.5, inner=5)
    # Nothing is left behind.
    assert 'outer' not in vars(machine) and 'inner' not in vars(machine)
    machine.outer()
    assert watch.seconds['outer'] == 1.5


def test_modules_are_watched():
    watch = Stopwatch()
    watch.clock = Clock()
    module = torch.nn.Linear(2, 3)
    with watch.watching((module, 'forward', 'network')):
        assert module(torch.zeros(1, 2)).shape == (1, 3)
    assert 'network' in watch.seconds
    assert 'forward' not in vars(module)


def test_calls_take_turns_and_medians_count():
    clock = Clock()
    order = []
    durations = dict(a=iter([9, 1, 2, 9, 3, 1]), b=iter([9, 4, 9, 8]))

    def call(name):
        if not order or order[-1] != name:
            order.append(name)
        clock.work(next(durations[name]))

    # Half of 6 s each: the first call of each half only warms up.
    seconds = take_turns(
        {name: lambda name=name: call(name) for name in 'ab'}, 6, clock
    )
    assert ''.join(order) == 'aba'
    assert seconds == dict(a=2, b=6)


def test_tables_are_markdown():
    table = new_table('Title', 'what', 's')
    table.add_rows([['a', 0.012345], ['b', None], ['c', 1234.5]])
    lines = table.get_string().split('\n')
    assert [line.replace(' ', '') for line in lines] == [
        '**Title**',
        '',
        '|what|s|',
        '|:----|------:|',
        '|a|0.0123|',
        '|b|-|',
        '|c|1234|',
    ]
    assert value_of(table, 'a') == value_of(table, 'a', 's') == 0.012345


def _take_memory():
    sizes = iter([30_000_000, 10])  # 120 MB

    def call():
        held_after_call.append(torch.ones(next(sizes)))

    held_after_call: list[torch.Tensor] = []
    return call


def test_measured_process():
    with MeasuredProcess(_take_memory) as process:
        seconds, extra = process()
        assert seconds == 0
        assert 110 < extra < 200
        process()
        with pytest.raises(StopIteration):
            process()


def test_peak_memory():
    before = held()
    with peak_memory() as peak:
        tensor = torch.ones(30_000_000)
        # The watcher gets its turn when the machine is busy, too.
        deadline = time.monotonic() + 60
        while peak[0] - before < 110 and time.monotonic() < deadline:
            time.sleep(0.001)
        del tensor
    assert 110 < peak[0] - before < 200


def test_made_up_pairs():
    with pair_set(None, size=(48, 70)) as root:
        dataset = CorrespondenceDataset(
            data_root=root,
            pipeline=[
                dict(type='LoadCorrespondences'),
                dict(type='LoadImagePair'),
            ],
        )
        assert len(dataset) == NUM_PAIRS
        results = dataset[3]
    assert results['img'].shape == results['img2'].shape == (48, 70, 3)
    assert results['img'].std() > 10
    assert len(results['points']) > 100


def test_loader_gives_the_same_pixels(sacre_coeur):
    table = benchmark_loader(sacre_coeur, 160, (113, 129), 0.01, 4)
    column = 'mean difference (grey levels)'
    assert value_of(table, loaders.PLAIN, column) == 0
    # PIL averages where it makes an image smaller, bilinear ones do not.
    fused = value_of(table, loaders.FUSED, column)
    assert fused == pytest.approx(
        value_of(table, loaders.TWO_STEPS, column), abs=0.5
    )
    table = benchmark_loader(sacre_coeur, 1024, (713, 713), 0.01, 4)
    for name in (loaders.TWO_STEPS, loaders.FUSED):
        assert value_of(table, name, column) < 1
        assert value_of(table, name) > 0


@pytest.mark.parametrize('options', [{}, dict(channels_last=True)])
def test_irreducible_part_is_that_of_the_iteration(options):
    model = networks.model_config(networks.load_config(None), 7)
    model.auxiliary_head = dict(
        model.decode_head, in_channels=32, in_index=2, channels=8
    )
    model.update(options)
    steps = TrainingSteps(model, None, (64, 96), 'cpu', 'fp32')
    steps.iteration()
    steps.irreducible()
    trained = {
        name: parameter
        for name, parameter in steps.model.named_parameters()
        if parameter.requires_grad
    }
    plain = dict(steps.plain.named_parameters())
    assert trained.keys() == plain.keys()
    for name, parameter in plain.items():
        assert parameter.shape == trained[name].shape
        assert parameter.grad is not None, name
    assert all(not p.requires_grad for p in steps.model.teacher.parameters())
    # The same parameters moved, all of them.
    state = steps.optimizer.optimizer.state
    assert len(state) == len(trained)


def test_training_table():
    table = benchmark_training(None, 5, (64, 96), seconds=0.01)
    names = [row[0] for row in table.rows]
    assert names == [
        training.ITERATION,
        training.IRREDUCIBLE,
        training.WITH_LOADER,
        *training.PARTS,
    ]
    assert value_of(table, training.IRREDUCIBLE, 'times the irreducible') == 1
    for name in training.PARTS:
        assert value_of(table, name) > 0, name
    assert value_of(table, training.ITERATION, 'peak memory (MB)') > 1


def test_clustering_table(sacre_coeur):
    table = benchmark_clustering(None, 5, 64, 0, data_root=sacre_coeur)
    names = [row[0] for row in table.rows]
    assert names == [clustering_parts.TOTAL, *clustering_parts.PARTS]
    shares = [value_of(table, name, 'share (%)') for name in names[1:]]
    assert sum(shares) == pytest.approx(100)
    assert min(shares) > 0


def test_assignment_equals_faiss():
    table = benchmark_assignment(300, (20, 30), 64, seconds=0.01)
    assert value_of(table, clustering_parts.OURS, 3) == 100
    assert [row[0] for row in table.rows] == [
        clustering_parts.OURS,
        clustering_parts.FAISS,
    ]


def test_label_options_table():
    """One turn; each way is timed once, and by the clock that is given."""
    table = benchmark_label_options(5, 2000, 12, 0.0, time.process_time)
    names = [row[0] for row in table.rows]
    assert names == [clustering_parts.PAPER, *clustering_parts.OPTIONS]
    assert value_of(table, clustering_parts.PAPER, 2) == 1
    assert all(row[1] > 0 for row in table.rows)
    assert '2000 features of 12 channels, 1000 pairs, K = 5' in table.title


@pytest.mark.slow  # the tool's test runs it, too
def test_inference_table():
    table = benchmark_inference(
        None, (5, 9), 5, (60, 90), (49, 49), (32, 32), seconds=0.01
    )
    assert [row[0] for row in table.rows] == [5, 9]
    assert all(value is not None for value in table.rows[0])
    assert table.rows[1][2] is None and table.rows[1][4] is None


@pytest.mark.parametrize('kind', ['EncoderDecoder', 'FGSN'])
def test_networks_of_a_config(kind):
    config = networks.load_config(None)
    config.model.type = kind
    if kind == 'EncoderDecoder':
        del config.model['num_clusters']
        config.model.data_preprocessor.update(
            type='SegDataPreProcessor', size=(8, 8), pad_val=0
        )
    model = networks.model_config(config, 300)
    fgsn = networks.build(model, 'cpu')
    networks.teach(fgsn)
    labels = fgsn.label_maps(torch.randn(1, 3, 64, 96))
    assert labels.shape == (1, 8, 12) and len(np.unique(labels)) > 1
    plain = networks.build_plain(model, 'cpu')
    assert type(plain).__name__ == 'EncoderDecoder'
    assert plain.decode_head.num_classes == 300


def test_missing_config():
    with pytest.raises(FileNotFoundError, match=r'nowhere\.py'):
        networks.load_config('nowhere.py')
