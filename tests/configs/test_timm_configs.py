"""Starts from timm, with networks of two blocks: as the configs say, trained.

Where timm is installed: it needs the torchvision that belongs to torch.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from miniature_trees import make_seasons
from mmengine import Config
from mmseg.apis import init_model
from mmseg.registry import MODELS
from tiny_runs import QuietRunner, scalars

timm = pytest.importorskip('timm')

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'fgsn'
NAMES = sorted(path.stem for path in FOLDER.glob('*-672x672.py'))
CROP = (112, 224)  # multiples of 14 and of 16


@pytest.fixture(scope='module')
def trees(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    for name in ('CMU', 'ROBOTCAR'):
        make_seasons(root, name, size=(120, 256))
    return root


def short(network):
    """The same network with few blocks and random weights."""
    convolutions = 'convnext' in network.model_name
    last = (0, 1, 2, 3) if convolutions else (1,)
    depth = dict(depths=(1, 1, 1, 1)) if convolutions else dict(depth=2)
    network.update(depth, out_indices=last, pretrained=False)


def miniature(name, trees, work_dir):
    config = Config.fromfile(FOLDER / f'{name}.py')
    short(config.model.backbone.backbone)
    for part in ('train', 'val', 'test'):
        loader = config[f'{part}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.update(ann_file='', serialize_data=False)
    (hook,) = config.custom_hooks
    hook.update(features_per_image=60, interval=5)
    hook.dataloader.num_workers = 0
    hook.dataloader.dataset.update(ann_file='', reference_image_names=None)
    for loader in (config.train_dataloader, config.val_dataloader,
                   hook.dataloader):  # fmt: skip
        dataset = loader.dataset
        dataset.data_root = str(trees / Path(dataset.data_root).name)
        for step in dataset.pipeline:
            if 'short_side' in step:
                step.short_side = 112
            if 'crop_size' in step:
                step.crop_size = CROP
    config.model.data_preprocessor.size = CROP
    config.model.num_clusters = 6
    config.model.test_cfg.update(crop_size=CROP, stride=CROP)
    config.optim_wrapper = dict(  # mmengine's AMP refuses the CPU
        type='OptimWrapper',
        optimizer=config.optim_wrapper.optimizer,
        paramwise_cfg=config.optim_wrapper.paramwise_cfg,
    )
    config.train_cfg.update(max_iters=10, val_interval=10)
    config.default_hooks.logger.interval = 1
    config.default_hooks.checkpoint.interval = 10
    config.default_hooks.pop('visualization', None)
    config.work_dir = str(work_dir)
    config.log_level = 'ERROR'
    return config


@pytest.mark.slow
@pytest.mark.parametrize('name', NAMES)
def test_ten_iterations(name, trees, tmp_path):
    config = miniature(name, trees, tmp_path)
    torch.manual_seed(0)
    # `init_model` makes the network once more: with weights of a file.
    inner = config.model.backbone.backbone
    file = tmp_path / 'public.pth'
    torch.save(plain_network(inner).state_dict(), file)
    inner.update(pretrained=True, pretrained_cfg_overlay=dict(file=str(file)))
    runner = QuietRunner.from_cfg(config)
    before = [tensor.clone() for tensor in runner.model.backbone.frozen]
    runner.train()
    losses = [row['loss'] for row in scalars(tmp_path) if 'loss' in row]
    assert len(losses) == 10 and torch.tensor(losses).isfinite().all()
    after = runner.model.backbone.frozen
    assert all(map(torch.equal, before, after))
    adapters = dict(runner.model.backbone.named_parameters())
    assert bool(adapters) == ('frozen' not in name)
    assert all(p.any() for n, p in adapters.items() if '.up' in n)

    state = torch.load(tmp_path / 'iter_10.pth')
    inside = {n for n in state['state_dict'] if n.startswith('backbone.')}
    assert inside == {f'backbone.{n}' for n in [*adapters, 'checksum']}
    again = init_model(config, str(tmp_path / 'iter_10.pth'), device='cpu')
    images = torch.randn(1, 3, *CROP)
    runner.model.eval()
    with torch.no_grad():
        maps = [m.student_maps(images).logits for m in (runner.model, again)]
    assert torch.equal(*maps) and maps[0].std() > 0


def plain_network(inner):
    """What timm itself makes of the arguments, not cut into features."""
    options = {
        key: value
        for key, value in inner.items()
        if key not in ('type', 'model_name', 'pretrained', 'out_indices')
    }
    options.pop('dynamic_img_pad', None)
    return timm.create_model(inner.model_name, num_classes=0, **options)


@pytest.mark.parametrize('name', NAMES)
def test_public_weights_fit(name):
    """The normalisation is that of the weights; maps tile the crop."""
    config = Config.fromfile(FOLDER / f'{name}.py')
    inner = config.model.backbone.backbone
    assert inner.pretrained
    public = timm.models.get_pretrained_cfg(inner.model_name)
    assert public.hf_hub_id
    for key, values in (('mean', public.mean), ('std', public.std)):
        own = config.model.data_preprocessor[key]
        assert [x / 255 for x in own] == pytest.approx(values, abs=1e-5)
    short(inner)
    backbone = MODELS.build(config.model.backbone)
    with torch.no_grad():
        maps = backbone(torch.randn(1, 3, *CROP))
    head = config.model.decode_head
    found = [m.shape[1] for m in maps]
    assert found in ([head.in_channels], head.in_channels)
    side = 14 if 's14' in name else 16
    if 'convnext' not in name:
        assert maps[0].shape[-2:] == (CROP[0] // side, CROP[1] // side)
