"""Training once: folders, what is skipped, what is refused."""

from __future__ import annotations

import pytest
from mmengine import Config

from fgsn_mmseg.engine.training_run import (
    first_checkpoint,
    train_once,
    with_data_root,
)


def test_every_data_root_is_moved():
    config = Config(
        dict(
            data_root='data/x',
            loader=dict(
                dataset=dict(
                    type='ConcatDataset',
                    datasets=[dict(data_root='a'), dict(data_root='b')],
                )
            ),
            hooks=[dict(loader=dict(dataset=dict(data_root='c', other=1)))],
        )
    )
    moved = with_data_root(config, 'new')
    assert moved is config
    assert config.data_root == 'new'
    datasets = config.loader.dataset.datasets
    assert [one.data_root for one in datasets] == ['new', 'new']
    assert config.hooks[0].loader.dataset == dict(data_root='new', other=1)


def test_what_is_finished_is_not_trained_again(tmp_path):
    config = Config(dict(answer=42))
    run = tmp_path / 'run'
    run.mkdir()
    (tmp_path / 'run.py').write_text(config.pretty_text)
    (run / 'finished').touch()
    (run / 'last_checkpoint').write_text(f'{run}/iter_9.pth\n')
    assert train_once(config, run) == run / 'iter_9.pth'
    with pytest.raises(ValueError, match='run of this config'):
        train_once(Config(dict(answer=43)), run)


def test_a_failure_says_where_the_output_is(tmp_path):
    """mmseg's tool is really started, and refuses this config."""
    config = Config(dict(answer=42))
    with pytest.raises(RuntimeError, match=r'exit status 1.*output\.txt'):
        train_once(config, tmp_path / 'run', quiet=True)
    assert 'Error' in (tmp_path / 'run' / 'output.txt').read_text()
    assert not (tmp_path / 'run' / 'finished').exists()


def test_first_checkpoint(tmp_path):
    config = Config(
        dict(
            custom_hooks=[
                dict(type='EMAHook'),
                dict(type='ClusteringHook', interval=30),
            ],
            default_hooks=dict(checkpoint=dict(interval=10)),
        )
    )
    assert first_checkpoint(config, tmp_path) == tmp_path / 'iter_10.pth'
    config.default_hooks.checkpoint.interval = 60
    with pytest.raises(ValueError, match='at most that of clusterings, 30'):
        first_checkpoint(config, tmp_path)
