"""Files that appear whole or not at all, and files of strangers."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha1
from typing import Any
from uuid import uuid4

import h5py
import numpy as np


@contextmanager
def whole_file(path: str | os.PathLike, shared: bool = False) -> Iterator[str]:
    """Write a file beside its place and move it there when it is complete.

    A run that is killed leaves the old file, and what it had written where
    the next one writes over it; an error (a full disk) leaves nothing.

    Args:
        path: File to write; its folder is made.
        shared: Whether several processes may write it at once. What one of
            them leaves when it is killed stays there.

    Yields:
        Path to write to in the meantime.

    Example:
        >>> with whole_file('a.txt') as part:
        ...     open(part, 'w').write('all of it')
    """
    folder, name = osp.split(osp.abspath(path))
    os.makedirs(folder, exist_ok=True)
    # Short, since the name itself may have all the letters that a name may
    # have; process ids are unique on one machine only.
    key = uuid4().hex if shared else sha1(os.fsencode(name)).hexdigest()
    part = osp.join(folder, f'.{key}.part')
    try:
        yield part
        # Some file systems move first and write later: after a power cut
        # there would be an empty file.
        with open(part, 'rb') as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        if osp.exists(part):
            os.unlink(part)


def check_file(path: str | os.PathLike, name: str, what: str) -> None:
    """Refuse what is no regular file: a pipe would be waited for for ever.

    Args:
        path: The file.
        name: Of the argument, for the message.
        what: What it should be, with its article.

    Raises:
        FileNotFoundError: There is nothing.
        ValueError: It is a folder, a pipe or a device.
    """
    path = os.fspath(path)
    if osp.isfile(path):
        return
    if osp.exists(path):
        raise ValueError(
            f'`{name}` should be {what}, but got {path!r}, which is no '
            'regular file. Name the file itself.'
        )
    raise FileNotFoundError(
        f'`{name}` should be {what}, but got {path!r}, which is not there. '
        'Check the folder and the name.'
    )


class _RefusedError(ValueError):
    """Our own message, with the path in it."""


def read_arrays(
    path: str | os.PathLike, limits: Mapping[str, int], name: str = 'path'
) -> dict[str, tuple[np.ndarray, dict]]:
    """Read some arrays of numbers at the root of an HDF5 file.

    Size and type are looked at before anything is read, since a few bytes
    can declare any size. Links to other files are not followed.

    Args:
        path: The file.
        limits: Name of each array -> most numbers that it may hold.
        name: Of the argument, for messages. Defaults to 'path'.

    Returns:
        For each array its values, in the byte order of this machine, and its
        small attributes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no HDF5 file, is broken, or an array is missing,
            too large or not made of numbers.
    """
    path = os.fspath(path)
    check_file(path, name, 'an HDF5 file')
    try:
        with h5py.File(path, 'r', locking=False) as file:
            return {
                key: _read_array(file, key, limit, path, tuple(limits))
                for key, limit in limits.items()
            }
    except _RefusedError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # h5py raises anything where a file is broken
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise ValueError(
            f'`{name}` should be a readable HDF5 file, but got {path!r} '
            f'({reason}). {_remedy(path)}'
        ) from error


def _remedy(path: str) -> str:
    with open(path, 'rb') as file:
        head = file.read(6)
    if head == b'MATLAB':
        return 'Save it in MATLAB with the option -v7.3.'
    return 'Fetch or write the file again.'


def _read_array(
    file: h5py.File, key: str, limit: int, path: str, wanted: tuple
) -> tuple[np.ndarray, dict]:
    link = file.get(key, getlink=True)
    if not isinstance(link, h5py.HardLink):
        got = 'nothing of this name' if link is None else 'a link elsewhere'
        raise _RefusedError(
            f'`{key}` should be a dataset at the root of {path!r}, but got '
            f'{got}. Needed are {", ".join(wanted)}.'
        )
    dataset = file[key]
    if not isinstance(dataset, h5py.Dataset):
        raise _RefusedError(
            f'`{key}` should be a dataset at the root of {path!r}, but got a '
            f'group. Needed are {", ".join(wanted)}.'
        )
    shape, dtype = dataset.shape, dataset.dtype
    if shape is None or dtype.kind not in 'fui':
        raise _RefusedError(
            f'`{key}` should hold numbers, but got {str(dtype)[:80]} of shape '
            f'{shape} in {path!r}. Write the file again.'
        )
    # Exact, whatever the shape: numpy's product would wrap around.
    size, chunk = 1, 1
    for length in shape:
        size *= length
    for length in dataset.chunks or ():
        chunk *= length
    if size > limit or (size and chunk > max(limit, 1 << 20)):
        raise _RefusedError(
            f'`{key}` should hold at most {limit} numbers, but got the shape '
            f'{shape} in {path!r}. Raise the limit if that is meant.'
        )
    if dataset.external or dataset.is_virtual:
        raise _RefusedError(
            f'`{key}` should be stored in {path!r}, but got a reference to '
            'another file. Write the file again with its contents.'
        )
    values = np.asarray(dataset[()])
    values = values.astype(dtype.newbyteorder('='), copy=False)
    return values, _attributes(dataset)


def _attributes(dataset: h5py.Dataset) -> dict[str, Any]:
    found = {}
    for key in ('MATLAB_empty', 'axes'):
        if key in dataset.attrs:
            attribute = dataset.attrs.get_id(key)
            kind = attribute.dtype.kind
            small = attribute.shape == () and attribute.dtype.itemsize < 65
            if small and kind in 'uiSO':
                found[key] = dataset.attrs[key]
    return found
