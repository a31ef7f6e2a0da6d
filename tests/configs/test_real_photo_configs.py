"""The configs of real photos run as they are, but for size and length."""

from __future__ import annotations

import pytest
import torch
from mmengine import Config
from mmseg.registry import MODELS
from tiny_runs import QuietRunner, scalars

from fgsn_mmseg.engine.training_run import with_data_root

NAME = 'fgsn-c20_cgnet-cityscapes-pre_fcn_1xb2{}-300_{}-257x257'
CROP = (65, 65)


@pytest.mark.slow
@pytest.mark.parametrize(
    'extra, data, buildings',
    [
        ('', 'reichstag', {'reichstag'}),
        (
            '-whitened-fitted',
            'sacre-coeur-reichstag',
            {'reichstag', 'sacre_coeur'},
        ),
    ],
)
def test_trains_on_photos(
    repo_root, sacre_coeur, tmp_path, extra, data, buildings
):
    name = NAME.format(extra, data)
    config = Config.fromfile(repo_root / 'configs/fgsn' / f'{name}.py')
    with_data_root(config, sacre_coeur.parent)
    for part in ('train', 'val', 'test'):
        loader = config[f'{part}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        for dataset in loader.dataset.datasets:
            dataset.indices = 2 if part == 'val' else None
            for step in dataset.pipeline:
                if 'short_side' in step:
                    step.short_side = 72
                if 'crop_size' in step:
                    step.crop_size = CROP
    (hook,) = config.custom_hooks
    hook.num_pairs = 4
    for dataset in hook.dataloader.dataset.datasets:
        dataset.cache_dir = str(tmp_path)
        dataset.pipeline[1].short_side = 72
    config.model.data_preprocessor.size = CROP
    config.model.pca_dim = 8

    # A start as mmseg saves it, of 19 classes.
    text = "_base_ = 'mmseg::_base_/models/cgnet.py'"
    base = Config.fromstring(text, '.py').model
    for model in (base, config.model):
        model.backbone.num_blocks = (1, 2)
    base.backbone.norm_cfg.type = base.decode_head.norm_cfg.type = 'BN'
    torch.manual_seed(1)
    start = MODELS.build(base).state_dict()
    torch.save(dict(state_dict=start), tmp_path / 'start.pth')
    config.model.init_cfg.checkpoint = str(tmp_path / 'start.pth')
    config.train_cfg.update(max_iters=3, val_interval=3)
    config.default_hooks.logger.interval = 1
    config.default_hooks.visualization.draw = False
    config.work_dir = str(tmp_path / 'run')
    config.log_level = 'ERROR'
    runner = QuietRunner.from_cfg(config)
    runner.train()

    trained = runner.train_loop.dataloader.dataset.dataset.datasets
    assert {d.data_prefix['img_path'].split('/')[-2] for d in trained} == (
        buildings
    )
    taught = runner.model.teacher.state_dict()
    for key in ('backbone.stem.0.conv.weight', 'backbone.level2.1.bn.weight'):
        assert torch.equal(taught[key], start[key])
    assert not torch.equal(
        runner.model.state_dict()[key], start[key]
    )  # it learns
    *rows, figures = scalars(tmp_path / 'run')
    losses = [row['loss'] for row in rows if 'loss' in row]
    assert len(losses) == 3
    assert torch.tensor(losses).isfinite().all()
    for building in ('reichstag', 'sacre_coeur'):
        assert f'match_bits_hard/{building}' in figures
