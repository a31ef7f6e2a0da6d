from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from ..segmentors import TRAINING_PARTS
from .checkpoint_file import (
    read_checkpoint,
    refuse_same_file,
    write_checkpoint,
)

# The configuration and the messages hold paths of the machine.
_META = ('dataset_meta', 'iter', 'epoch', 'seed', 'mmengine_version')


@dataclass
class Publication:
    """What became of a checkpoint.

    Attributes:
        kept (int): Number of tensors written.
        dropped (dict): Part that was left out -> number of its tensors (1
            for what is no tensor of the model).
        sha256 (str): Hash of the file, hexadecimal.
    """

    kept: int
    dropped: dict[str, int]
    sha256: str


def publish_checkpoint(
    source: str | os.PathLike, target: str | os.PathLike
) -> Publication:
    """Strip a checkpoint for release.

    What is left is the network: it loads strictly into a plain
    segmentor of mmseg with ``num_classes`` = K, without this package, and is
    a start for an FGSN of any number of clusters.

    Args:
        source (str): Checkpoint of an FGSN (or any mmseg segmentor).
        target (str): Checkpoint to write.

    Returns:
        Publication: What was kept and dropped.

    Raises:
        FileNotFoundError: ``source`` is not there.
        ValueError: ``source`` is no checkpoint, or holds no segmentor,
            or ``target`` is the same file.
    """
    refuse_same_file(source, target)
    rest, state_dict = read_checkpoint(source)
    parts = {name: _part_of_training(name) for name in state_dict}
    kept = {
        name: tensor for name, tensor in state_dict.items() if not parts[name]
    }
    if not any(name.startswith('decode_head.') for name in kept):
        raise ValueError(
            f'`source` should hold a segmentor with a decode_head, but '
            f'got {sorted(state_dict)[:3]} in {os.fspath(source)!r}. Convert '
            "an authors' checkpoint with fgsn2mmseg.py first."
        )
    dropped = dict(Counter(part for part in parts.values() if part))
    dropped.update({name: 1 for name in rest if name != 'meta'})
    meta = {k: v for k, v in rest.get('meta', {}).items() if k in _META}
    write_checkpoint(target, dict(meta=meta, state_dict=kept))
    digest = sha256()
    with open(target, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return Publication(len(kept), dropped, digest.hexdigest())


def _part_of_training(name: str) -> str:
    """What a tensor of the model belongs to that only training needs."""
    for part in TRAINING_PARTS:
        if name.startswith(part):
            return part.rstrip('.')
    # Losses may have a memory, as `PriorCorrectedLoss` has.
    return 'loss_decode' if '.loss_decode.' in name else ''
