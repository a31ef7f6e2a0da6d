"""Published configs at a size that ten iterations take a second."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine import Config
from mmseg.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
SHORT_SIDE = 96
CROP = (57, 73)
SETTINGS = {
    'ResizePair': dict(short_side=SHORT_SIDE),
    'RandomResize': dict(scale=(2 * SHORT_SIDE, SHORT_SIDE)),
    'Resize': dict(scale=(2 * SHORT_SIDE, SHORT_SIDE)),
    'RandomCropPair': dict(crop_size=CROP),
    'ResizeCropPair': dict(short_side=SHORT_SIDE, crop_size=CROP),
    'RandomCrop': dict(crop_size=CROP),
}
NETWORK = {
    'model.backbone.depth': 18,
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 4,
    'model.decode_head.in_channels': 32,
    'model.decode_head.channels': 16,
    'model.auxiliary_head.in_channels': 16,
    'model.auxiliary_head.channels': 8,
    'model.data_preprocessor.size': CROP,
    'model.test_cfg.crop_size': CROP,
    'model.test_cfg.stride': (38, 49),
}


def shrink(part):
    """Small images, and no loader workers, wherever a config names them."""
    if isinstance(part, (list, tuple)):
        for item in part:
            shrink(item)
    elif isinstance(part, dict):
        part.update(SETTINGS.get(part.get('type'), {}))
        if 'num_workers' in part:
            part.update(num_workers=0, persistent_workers=False)
        for item in part.values():
            shrink(item)


def tiny_config(name: str, folder: Path, iters: int = 10, **options) -> Path:
    """Write a published config, as it is but for its size.

    Args:
        name: Path below `configs`, without '.py'.
        folder: Where to write it. Data and start are looked for below the
            folder in which the tool runs.
        iters: Iterations; a validation at the end.
        options: Further keys, with '__' for '.'.
    """
    config = Config.fromfile(CONFIGS / f'{name}.py')
    shrink(config._cfg_dict)
    config.merge_from_dict(NETWORK)
    if 'train_cfg' in config:
        config.merge_from_dict(
            {
                'train_cfg.max_iters': iters,
                'train_cfg.val_interval': iters,
                'default_hooks.logger.interval': 5,
                'default_hooks.checkpoint.interval': iters,
            }
        )
    config.merge_from_dict(
        {key.replace('__', '.'): value for key, value in options.items()}
    )
    path = folder / f'{Path(name).name}.py'
    config.dump(path)
    return path


def tiny_network(name: str, folder: Path, **options) -> tuple[Path, Path]:
    """Config of :func:`tiny_config` and a checkpoint of random weights."""
    path = tiny_config(name, folder, **options)
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(path).model)
    for module in model.modules():
        # Labels should depend on the image, and not on its brightness alone.
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight, std=0.3)
    checkpoint = folder / 'random.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), checkpoint)
    return path, checkpoint
