"""Reading and writing a ``.pth`` file without running what is in it."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor

from fgsn_mmseg import compat


def read_checkpoint(
    path: str | os.PathLike,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a checkpoint of mmengine or a bare state dict.

    Args:
        path (str): File written by ``torch.save``.

    Returns:
        tuple[dict, dict]: What the file holds besides the state dict, and
        the state dict: name -> tensor.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no checkpoint.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'`path` should be a checkpoint, but got {path!r}, which is not '
            'there. Check the name.'
        )
    # Again: what onedl-mmengine loads in between shortens the list.
    compat.allow_checkpoint_globals()
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    # A file that is no pickle may fail in any way.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f'`path` should be a checkpoint of tensors, but got {path!r} '
            f'({reason}). Fetch the file again.'
        ) from error
    state_dict, rest = content, {}
    if isinstance(content, dict) and 'state_dict' in content:
        rest = {k: v for k, v in content.items() if k != 'state_dict'}
        state_dict = content['state_dict']
    if (
        not isinstance(state_dict, dict)
        or not state_dict
        or not all(isinstance(v, Tensor) for v in state_dict.values())
    ):
        raise ValueError(
            '`path` should hold names and tensors, but got '
            f'{type(state_dict).__name__} in {path!r}. Save `state_dict()` '
            'of the network, not the network.'
        )
    return rest, dict(state_dict)


def write_checkpoint(path: str | os.PathLike, content: dict[str, Any]) -> None:
    """Write a checkpoint; it appears whole or not at all.

    Args:
        path (str): File to write; its folder is made.
        content (dict): What to write.
    """
    path = os.path.abspath(os.fspath(path))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f'{path}.part'
    torch.save(content, part)
    os.replace(part, path)
