"""What two trainings left behind, compared bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from fgsn_mmseg.apis.training_log import read_training_log

# What a clock or the machine says.
_MEASURED = ('time', 'data_time', 'memory', 'seconds')
_HUB_INFO = ('best_score', 'keep_ckpt_ids', 'validated_iter')


def differences(first: Path, second: Path) -> list[str]:
    """Compare the folders of two runs of one config.

    Compared are the names of all checkpoints; weights, codebook, teacher,
    optimizer, schedulers and history of the last one; weights of the best
    one; the files of clusterings; every logged figure, validations too, but
    for seconds and memory.

    Args:
        first: Folder of a training.
        second: Folder of another one.

    Returns:
        What differs, one text each.
    """
    found: list[str] = []
    for pattern in ('*.pth', '*.h5', '.*.part'):  # the last: torn ones
        names = [
            sorted(path.name for path in folder.glob(pattern))
            for folder in (first, second)
        ]
        _compare(pattern, names[0], names[1], found)
        for name in sorted(set(names[0]) & set(names[1])):
            read = _codebook if name.endswith('.h5') else _checkpoint
            _compare(name, read(first / name), read(second / name), found)
    _compare('log', _log(first), _log(second), found)
    return found


def _checkpoint(path: Path) -> dict[str, Any]:
    content = torch.load(path, map_location='cpu')
    hub = content['message_hub']
    return dict(
        iter=content['meta']['iter'],
        state_dict=content['state_dict'],
        optimizer=content.get('optimizer'),
        param_schedulers=content.get('param_schedulers'),
        history=_without_measured(hub['log_scalars']),
        info={key: hub['runtime_info'].get(key) for key in _HUB_INFO},
    )


def _codebook(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file}


def _log(folder: Path) -> dict[str, Any]:
    log = read_training_log(folder)
    return {**_without_measured(log.curves), 'clusterings': log.clusterings}


def _without_measured(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if name.rpartition('/')[2] not in _MEASURED
    }


def _compare(where: str, first: Any, second: Any, found: list[str]) -> None:
    """Note where two nests of containers and numbers differ."""
    if isinstance(first, HistoryBuffer):
        first, second = list(first.data), list(second.data)
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted({*first, *second}, key=str):
            inside = f'{where}: {key}'
            if key not in first or key not in second:
                found.append(f'{inside} is in one only')
            else:
                _compare(inside, first[key], second[key], found)
    elif type(first) is not type(second):
        found.append(f'{where}: {first!r:.40} and {second!r:.40}')
    elif isinstance(first, (torch.Tensor, np.ndarray)):
        arrays = [np.asarray(first), np.asarray(second)]
        if arrays[0].tobytes() != arrays[1].tobytes():
            found.append(f'{where}: arrays differ')
    elif repr(first) != repr(second):  # NaN is NaN
        found.append(f'{where}: {first!r:.80} and {second!r:.80}')
