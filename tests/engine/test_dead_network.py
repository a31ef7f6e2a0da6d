"""A network that tells nothing apart is named within one validation."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from tiny_runs import QuietRunner
from torch import nn

from benchmarks.loader import make_pairs
from kill_trials.small_run import SIZE, small_config


def not_a_number(model):
    model.backbone.stem[0].weight.fill_(float('nan'))


def equal_features(model):
    for module in model.backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.zero_()


def one_label(model):
    model.decode_head.conv_seg.bias[3] = 100


class Break(Hook):
    """Does it before the step that comes before the validation at 3."""

    priority = 'LOWEST'

    def __init__(self, how):
        self.how = how

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2:
            with torch.no_grad():
                self.how(runner.model)


@pytest.mark.slow
@pytest.mark.parametrize('how', [not_a_number, equal_features, one_label])
def test_is_named(tmp_path, how):
    make_pairs(str(tmp_path / 'pairs'), SIZE)
    config = small_config(tmp_path / 'pairs', tmp_path / 'run', 0)
    config.merge_from_dict({'train_cfg.max_iters': 3, 'log_level': 'WARNING'})
    runner = QuietRunner.from_cfg(config)
    runner.register_hook(Break(how))
    runner.train()
    log = Path(runner.log_dir) / f'{runner.timestamp}.log'
    (line,) = [x for x in log.read_text().splitlines() if 'is dead' in x]
    assert ('losses are NaN' in line) == (how is not_a_number)
    assert 'Lower the learning rate' in line
