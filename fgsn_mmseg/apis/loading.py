from __future__ import annotations

import copy
import os
from typing import Any

import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmseg.apis import init_model
from torch import Tensor, nn

from fgsn_mmseg.models.converters.checkpoint_file import read_checkpoint
from fgsn_mmseg.models.segmentors import TRAINING_PARTS

_CLASSIFIER = 'decode_head.conv_seg.weight'


def load_segmentor(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike,
    device: str = 'cpu',
    cfg_options: dict | None = None,
) -> nn.Module:
    """Build the network of a config and load a checkpoint into it.

    As mmseg's ``init_model``, but a checkpoint that does not fit is an error:
    mmengine only logs a classifier of another size, and every label would be
    drawn from random weights.

    Args:
        config: Config or its path.
        checkpoint: File that training, ``publish_model.py`` or
            ``fgsn2mmseg.py`` wrote.
        device: Where to put it. Defaults to 'cpu'.
        cfg_options: Keys to override in the config. Defaults to None.

    Returns:
        The segmentor in eval mode, its config in ``cfg``.

    Raises:
        FileNotFoundError: One of the files is not there.
        ValueError: The checkpoint does not belong to the config, or there
            is no such device.
    """
    if not isinstance(config, Config):
        if not os.path.isfile(config):
            raise FileNotFoundError(
                f'`config` should be a config file, but got '
                f'{os.fspath(config)!r}, which is not there.'
            )
        config = Config.fromfile(config)
    check_device(device)
    config = copy.deepcopy(config)  # the caller's stays as it is
    config.merge_from_dict(cfg_options or {})
    state_dict = read_checkpoint(checkpoint)[1]
    init_default_scope(config.get('default_scope', 'mmseg'))
    # All weights come from the checkpoint: nothing is to be downloaded.
    if config.model.backbone.get('init_cfg'):
        config.model.backbone.init_cfg = None
    model = init_model(config, None, device=device)
    _load(model, state_dict, os.fspath(checkpoint))
    return model


def _load(model: nn.Module, state_dict: dict[str, Tensor], path: str) -> None:
    """Load all but what only training needs; refuse what does not fit."""
    expected = model.state_dict()
    weights = {
        name: tensor
        for name, tensor in state_dict.items()
        if not name.startswith(TRAINING_PARTS)
    }
    if _CLASSIFIER in weights and _CLASSIFIER in expected:
        found, wanted = (
            len(part[_CLASSIFIER]) for part in (weights, expected)
        )
        if found != wanted:
            raise ValueError(
                f'`num_clusters` should be {found} as in the checkpoint '
                f'{path}, but got {wanted} from the config. Use the config '
                'of that number, or `--cfg-options '
                f'model.num_clusters={found}`.'
            )
    problems = _problems(expected, weights)
    if problems:
        raise ValueError(
            f'`checkpoint` should belong to the config, but got {path!r}, '
            f'in which {len(problems)} of {len(expected)} tensors do not '
            f'fit, the first: {problems[0]}. Use the config of the training.'
        )
    model.load_state_dict(weights, strict=False)


def _problems(
    expected: dict[str, Any], weights: dict[str, Tensor]
) -> list[str]:
    """Tensors that are missing or of another shape, one text each.

    Auxiliary heads do not label: they may be missing.
    """
    problems = []
    for name, tensor in expected.items():
        if name.startswith('auxiliary_head.'):
            weights.pop(name, None)
        elif name not in weights:
            problems.append(f'{name} is missing')
        elif weights[name].shape != tensor.shape:
            problems.append(
                f'{name} is {tuple(weights[name].shape)} instead of '
                f'{tuple(tensor.shape)}'
            )
    return problems


def check_device(device: str) -> None:
    """Raise ValueError if this machine has no device of that name."""
    try:
        torch.zeros(1, device=device)
    # torch says of a missing CUDA by an AssertionError, of others otherwise.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            "`device` should be 'cpu' or a device of this machine, but got "
            f'{device!r}: {reason}'
        ) from None
