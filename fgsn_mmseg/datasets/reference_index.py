"""All correspondence positions of every reference image, kept on disk.

Tens of thousands of small files need minutes to read. Their positions are
gathered once, by image, into one file ``reference_index_<hash>.npz``:

- ``digest``: hash of all pair files' names, sizes and times; an index whose
  digest is another one is stale.
- ``img_paths`` (I,): image paths relative to the image root, sorted.
- ``offsets`` (I + 1,): the points of image i are
  ``points[offsets[i]:offsets[i + 1]]``.
- ``points`` (P, 2) float32: x, y in pixels of the original image.
"""

from __future__ import annotations

import hashlib
import logging
import os
import os.path as osp
import sys
import zipfile
from collections.abc import Sequence

import numpy as np
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.utils import ProgressBar

from ..files import whole_file
from .pair_file import read_pair_file

# Raise it when what an index holds changes: old ones are then built anew.
_VERSION = 1
# Fewer files than this are read in a second or two.
_MIN_FILES_FOR_BAR = 500


def load_reference_index(
    pairs: Sequence[tuple[str, bool]], cache_dir: str
) -> dict[str, np.ndarray]:
    """Read the index of these pairs, or build and write it.

    Several processes may do so at once: each writes a file of its own and
    moves it into place. Where nothing can be written the index is used all
    the same, with a warning.

    Args:
        pairs: (pair file, swap) of each pair; with swap the second image is
            the reference.
        cache_dir: Folder of the index; made if need be.

    Returns:
        dict: ``img_path -> (N, 2) float32`` positions, sorted by path; an
        image's positions stand in the order of ``pairs``.

    Raises:
        FileNotFoundError: A pair file is missing.
        ValueError: A pair file is broken.
    """
    digest = _digest(pairs, with_state=True)
    path = osp.join(
        cache_dir, f'reference_index_{_digest(pairs, with_state=False)}.npz'
    )
    index = _read(path, digest)
    if index is None:
        index = _build(pairs)
        _write(path, digest, index)
    return index


def _digest(pairs: Sequence[tuple[str, bool]], with_state: bool) -> str:
    """Hash of the pairs' names and, with state, of their size and time."""
    text = hashlib.sha256(f'version {_VERSION}\n'.encode())
    for path, swap in pairs:
        line = f'{osp.basename(path)}\t{int(swap)}'
        if with_state:
            state = os.stat(path)
            line += f'\t{state.st_size}\t{state.st_mtime_ns}'
        text.update(f'{line}\n'.encode())
    return text.hexdigest()[: 64 if with_state else 12]


def _build(pairs: Sequence[tuple[str, bool]]) -> dict[str, np.ndarray]:
    bar = None
    if len(pairs) >= _MIN_FILES_FOR_BAR and is_main_process():
        print_log(
            f'Reading the correspondences of {len(pairs)} pairs once.',
            logger='current',
        )
        bar = ProgressBar(len(pairs), file=sys.stderr)
    positions: dict[str, list[np.ndarray]] = {}
    for path, swap in pairs:
        pair = read_pair_file(path)
        suffix = '2' if swap else ''
        points = pair[f'points{suffix}'].astype(np.float32)
        positions.setdefault(pair[f'img_path{suffix}'], []).append(points)
        if bar is not None:
            bar.update()
    if bar is not None:
        bar.file.write('\n')
    return {
        name: np.concatenate(positions[name]) for name in sorted(positions)
    }


def _write(path: str, digest: str, index: dict[str, np.ndarray]) -> None:
    counts = [len(points) for points in index.values()]
    try:
        with (
            whole_file(path, shared=True) as part,
            open(part, 'wb') as file,
        ):
            np.savez(
                file,
                digest=np.array(digest),
                img_paths=np.array(list(index)),
                offsets=np.cumsum([0, *counts], dtype=np.int64),
                points=np.concatenate(list(index.values())),
            )
    except OSError as error:
        print_log(
            f'`cache_dir` should be a folder that can be written to, but got '
            f'{osp.dirname(path)!r} ({error.strerror or error}). Set it to '
            'another: else every start reads all correspondence files.',
            logger='current',
            level=logging.WARNING,
        )


def _read(path: str, digest: str) -> dict[str, np.ndarray] | None:
    """The index, or None if it is not there, stale or broken."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file['digest']) != digest:
                return None
            img_paths, offsets = file['img_paths'], file['offsets']
            points = file['points']
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if len(offsets) != len(img_paths) + 1 or offsets[-1] != len(points):
        return None
    return {
        str(name): points[start:end]
        for name, start, end in zip(img_paths, offsets[:-1], offsets[1:])
    }
