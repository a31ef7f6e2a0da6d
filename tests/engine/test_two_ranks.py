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
    return [torch.load(folder / f'rank_{rank}.pth') for rank in range(2)]


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


@pytest.mark.parametrize('run', [0, 1])
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
