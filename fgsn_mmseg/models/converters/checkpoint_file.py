"""Reading and writing a ``.pth`` file without running what is in it."""

from __future__ import annotations

import os
import re
from typing import Any

import torch
from torch import Tensor

from fgsn_mmseg import compat
from fgsn_mmseg.files import whole_file

# Where other trainers keep the network, and what wrappers put before names.
_NETWORKS = ('state_dict', 'model')
_WRAPPERS = ('module.', 'ema.', 'model.')


def read_checkpoint(
    path: str | os.PathLike,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a checkpoint of mmengine or a bare state dict.

    The network may also lie under ``model``, and all its names may begin
    with ``module.``, ``ema.`` or ``model.``, which is taken off.

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
    try:
        content = compat.load_checkpoint_file(path)
    # A file that is no pickle may fail in any way.
    except Exception as error:
        raise ValueError(
            '`path` should be a checkpoint of tensors, but got '
            f'{path!r}: {loading_problem(error)}. Fetch the file again, or '
            'ask its author for a state dict.'
        ) from error
    state_dict, rest = content, {}
    for key in _NETWORKS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            rest = {k: v for k, v in content.items() if k != key}
            state_dict = content[key]
            break
    if not isinstance(state_dict, dict) or not state_dict:
        found = type(state_dict).__name__
    else:
        others = [k for k, v in state_dict.items() if not _is_entry(k, v)]
        found = f'{type(state_dict).__name__} with {others[:3]}'
        if not others:
            return rest, _unwrapped(state_dict)
    raise ValueError(
        f'`path` should hold names and tensors, but got {found} in {path!r}. '
        'Save `state_dict()` of the network, not the network.'
    )


def _is_entry(name: Any, value: Any) -> bool:
    return isinstance(name, str) and isinstance(value, Tensor)


def _unwrapped(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the beginning that all names share, if a wrapper made it."""
    for wrapper in _WRAPPERS:
        if all(name.startswith(wrapper) for name in state_dict):
            return _unwrapped(
                {name[len(wrapper) :]: v for name, v in state_dict.items()}
            )
    return dict(state_dict)


def loading_problem(error: Exception) -> str:
    """Why ``torch.load`` failed, in a few words.

    torch's own text advises to switch its protection off.

    Args:
        error (Exception): What it raised.

    Returns:
        str: Part of a sentence.
    """
    found = re.search(r'GLOBAL ([\w.]+)', str(error))
    if found:
        return f'it holds {found[1]}, which could run code'
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, EOFError) or 'central directory' in str(error):
        return 'it is cut off'
    return 'it is no file of torch.save'


def refuse_same_file(
    source: str | os.PathLike, target: str | os.PathLike
) -> None:
    """Raise ValueError if writing one file would destroy the other."""
    if os.path.realpath(source) == os.path.realpath(target):
        raise ValueError(
            f'`target` should be another file than `source`, but got '
            f'{os.fspath(target)!r} for both. Choose another name.'
        )


def write_checkpoint(path: str | os.PathLike, content: dict[str, Any]) -> None:
    """Write a checkpoint; it appears whole or not at all.

    Args:
        path (str): File to write; its folder is made.
        content (dict): What to write.
    """
    with whole_file(path) as part:
        torch.save(content, part)
