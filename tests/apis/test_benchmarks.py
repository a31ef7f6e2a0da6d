"""What the benchmarks do and count; how long it takes is never tested."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fgsn_mmseg.apis.benchmarks import (
    Table,
    benchmark_assignment,
    benchmark_clustering,
    benchmark_inference,
    benchmark_loader,
    benchmark_training,
    markdown,
    networks,
    training,
)
from fgsn_mmseg.apis.benchmarks import clustering as clustering_parts
from fgsn_mmseg.apis.benchmarks import loader as loaders
from fgsn_mmseg.apis.benchmarks.peak_memory import MeasuredProcess
from fgsn_mmseg.apis.benchmarks.pictures import NUM_PAIRS, pair_set
from fgsn_mmseg.apis.benchmarks.stopwatch import Stopwatch, interleaved
from fgsn_mmseg.apis.benchmarks.training_steps import TrainingSteps
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
    watch = Stopwatch()
    watch.clock = clock = Clock()
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


def test_interleaved_takes_turns_and_medians():
    watch = Stopwatch()
    watch.clock = clock = Clock()
    order = []
    # abba: two turns that do not count, then three that do.
    durations = iter([9, 9, 9, 9, 1, 2, 2, 5, 3, 8])

    def call(name):
        order.append(name)
        clock.work(next(durations))

    seconds = interleaved(
        {name: lambda name=name: call(name) for name in 'ab'}, 3, watch
    )
    assert order == list('abbaabbaab')
    assert seconds == dict(a=3, b=2)


def test_markdown():
    table = Table('Title', ['what', 's'], [['a', 0.012345], ['b', None]])
    table.rows.append(['c', 1234.5])
    text = markdown([table], 'cpu')
    assert text.startswith('## ')
    assert f'torch {torch.__version__}' in text
    assert '| what | s |\n| --- | ---: |\n| a | 0.0123 |' in text
    assert '| b | - |\n| c | 1234 |' in text
    assert table.value('a') == table.value('a', 's') == 0.012345


def _take_memory():
    sizes = iter([30_000_000, 10])  # 120 MB

    def call():
        return torch.zeros(next(sizes)).sum()

    return call


def test_measured_process():
    with MeasuredProcess(_take_memory) as process:
        seconds, extra = process()
        assert seconds > 0
        assert 110e6 < extra < 200e6
        process()
        with pytest.raises(RuntimeError, match='StopIteration'):
            process()


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
    table = benchmark_loader(sacre_coeur, 160, (113, 129), 1, 4)
    column = 'mean difference (grey levels)'
    assert table.value(loaders.PLAIN, column) == 0
    # PIL averages where it makes an image smaller, bilinear ones do not.
    fused = table.value(loaders.FUSED, column)
    assert fused == pytest.approx(
        table.value(loaders.TWO_STEPS, column), abs=0.5
    )
    table = benchmark_loader(sacre_coeur, 1024, (713, 713), 1, 4)
    for name in (loaders.TWO_STEPS, loaders.FUSED):
        assert table.value(name, column) < 1
        assert table.value(name) > 0


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
    table = benchmark_training(None, 5, (64, 96), repeats=1)
    names = [row[0] for row in table.rows]
    assert names == [
        training.ITERATION,
        training.IRREDUCIBLE,
        training.WITH_LOADER,
        *training.PARTS,
    ]
    assert table.value(training.IRREDUCIBLE, 'times the irreducible') == 1
    for name in training.PARTS:
        assert table.value(name) > 0, name
    assert table.value(training.ITERATION, 'peak memory (MB)') > 1


def test_clustering_table(sacre_coeur):
    table = benchmark_clustering(None, 5, 64, 1, data_root=sacre_coeur)
    names = [row[0] for row in table.rows]
    assert names == [clustering_parts.TOTAL, *clustering_parts.PARTS]
    shares = [table.value(name, 'share (%)') for name in names[1:]]
    assert sum(shares) == pytest.approx(100)
    assert min(shares) > 0


def test_assignment_equals_faiss():
    table = benchmark_assignment(300, (20, 30), 64, repeats=1)
    assert table.notes == ['Equal labels: 100.00 %.']
    assert [row[0] for row in table.rows] == [
        clustering_parts.OURS,
        clustering_parts.FAISS,
    ]


@pytest.mark.slow  # the tool's test runs it, too
def test_inference_table():
    table = benchmark_inference(
        None, (5, 9), 5, (60, 90), (49, 49), (32, 32), repeats=1
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
    fgsn = networks.build_fgsn(model, 'cpu')
    networks.teach(fgsn, (64, 96))
    labels = fgsn.label_maps(torch.randn(1, 3, 64, 96))
    assert labels.shape == (1, 8, 12) and len(np.unique(labels)) > 1
    plain = networks.build_plain(model, 'cpu')
    assert type(plain).__name__ == 'EncoderDecoder'
    assert plain.decode_head.num_classes == 300


def test_missing_config():
    with pytest.raises(FileNotFoundError, match=r'nowhere\.py'):
        networks.load_config('nowhere.py')
