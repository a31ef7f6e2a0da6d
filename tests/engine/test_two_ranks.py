from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import assert_same_state, clusterings, make_pairs

pytestmark = pytest.mark.ddp
SCRIPT = Path(__file__).with_name('two_ranks.py')


@pytest.fixture(scope='module')
def folder(tmp_path_factory, run_tool):
    """The pairs and, in `alone`, `run_False` and `run_True`, the runs."""
    folder = tmp_path_factory.mktemp('ranks')
    make_pairs(folder / 'pairs')
    run_tool(SCRIPT, folder / 'pairs', folder, cwd=folder, timeout=500)
    return folder


@pytest.fixture
def results(folder):
    """[rank][run]: the first run has one seed, the second one a rank."""
    return [one['runs'] for one in ranks(folder, 2)]


def ranks(folder, size):
    paths = [folder / f'rank_{rank}_of_{size}.pth' for rank in range(size)]
    return [torch.load(path) for path in paths]


def test_codebook_of_one_rank(folder):
    """Five images on two ranks: one of them has an image more.

    All have the same number of threads: with another one the network adds up
    in another order, and the last bits of the features differ.
    """
    (alone,) = clusterings(folder / 'alone').values()
    for name in ('run_False', 'run_True'):
        both = clusterings(folder / name)
        assert list(both) == [0, 2]
        for key, value in alone.items():
            np.testing.assert_array_equal(both[0][key], value)


def test_options_of_one_rank(folder):
    """Learned whitening of the same pairs, whoever has run them."""
    (alone,) = clusterings(folder / 'alone_options').values()
    both = clusterings(folder / 'run_False_options')
    for key, value in alone.items():
        np.testing.assert_array_equal(both[0][key], value)


@pytest.mark.parametrize('run', [0, 1, 2])
def test_ranks_stay_the_same(results, run):
    first, second = (rank[run] for rank in results)
    assert first['wrapper'] == 'MMDistributedDataParallel'
    assert any(name.startswith('teacher.') for name in first['state_dict'])
    assert_same_state(first['state_dict'], second['state_dict'])


@pytest.mark.parametrize('run', [0, 1])
def test_sides_and_samples_are_drawn_for_each_rank(results, run):
    first, second = (rank[run] for rank in results)
    assert len(first['draws']) == len(second['draws']) == 3
    for key in ('draws', 'means'):
        assert all(a != b for a, b in zip(first[key], second[key]))


@pytest.mark.parametrize('images', [5, 3])
@pytest.mark.parametrize('size', [2, 4])
def test_any_number_of_ranks(folder, size, images):
    """Three images on four ranks: one has none; K exceeds a rank's share."""
    assert [rank[images] for rank in ranks(folder, size)] == [''] * size
    (alone,) = clusterings(folder / f'images_{images}_ranks_1').values()
    (found,) = clusterings(folder / f'images_{images}_ranks_{size}').values()
    assert alone['cluster_centroids'].shape == (6, 5)
    for key, value in alone.items():
        np.testing.assert_array_equal(found[key], value)


def test_failure_of_one_rank_stops_all(folder):
    """The second one reads an empty photo."""
    first, second = (rank['failure'] for rank in ranks(folder, 2))
    assert 'on rank 1' in first and 's/ref/1.png' in first
    assert 's/ref/1.png' in second
    assert not clusterings(folder / 'failed')


def test_a_step_is_that_of_one_process_with_the_whole_batch(folder):
    alone = torch.load(folder / 'step_1.pth')
    first, second = (rank['step'] for rank in ranks(folder, 2))
    assert alone.keys() == first.keys() == second.keys()
    for name, value in alone.items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], value, msg=name)
