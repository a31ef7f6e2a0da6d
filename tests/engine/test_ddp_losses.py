"""What gets no gradient is frozen: DDP waits for every other parameter."""

from pathlib import Path

import pytest
import torch
from ddp_losses import RUNS
from tiny_runs import assert_same_state, make_pairs

pytestmark = pytest.mark.ddp
SCRIPT = Path(__file__).with_name('ddp_losses.py')


@pytest.fixture(scope='module')
def ranks(tmp_path_factory, run_tool):
    folder = tmp_path_factory.mktemp('ranks')
    make_pairs(folder / 'pairs')
    run_tool(SCRIPT, folder / 'pairs', folder, cwd=folder, timeout=500)
    return [torch.load(folder / f'rank_{rank}.pth') for rank in range(2)]


@pytest.mark.parametrize('name', RUNS)
def test_ranks_train_and_stay_the_same(ranks, name):
    """Though their running statistics differed: rank 0's count."""
    first, second = (rank[name] for rank in ranks)
    assert_same_state(first, second)


def test_classifiers_learn_only_where_a_loss_asks_for_labels(ranks):
    weight = 'auxiliary_head.conv_seg.bias'
    for name, state in ranks[0].items():
        # Drawn anew at 2 with biases of 0.
        learnt = bool(state[weight].any())
        assert learnt == (name != 'feature_loss_alone'), name
