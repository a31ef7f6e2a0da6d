"""Reading, checking and writing one correspondence file.

The published files are MATLAB v7.3 files, that is HDF5, one per ordered image
pair. MATLAB stores its arrays transposed: its 2 x N points are (N, 2) here.
Other writers may leave (2, N). Both are read. Two points, (2, 2), look the
same either way, and nothing that MATLAB writes beside them tells: such a file
is refused rather than guessed at, unless :func:`write_pair_file` wrote it and
left the attribute ``axes``.
"""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np

from ..files import read_arrays, whole_file

MAX_POINTS = 1_000_000
"""Default limit: a published pair has thousands."""
# Longest path of Linux, in characters.
_MAX_PATH = 4096
# What `write_pair_file` says of its points.
_AXES = 'point, xy'


def read_pair_file(
    path: str | os.PathLike, max_points: int = MAX_POINTS
) -> dict[str, Any]:
    """Read the correspondences of one image pair.

    Args:
        path: File in the published format; root entries that it does not
            know are ignored.
        max_points: A file that declares more is refused before any is read.

    Returns:
        dict: ``img_path`` and ``img_path2`` (str, relative to the image root,
        forward slashes), ``points`` and ``points2`` ((N, 2) float64, x then y
        in pixels of the original images, 0 = centre of the first pixel) and
        ``dist_from_center`` ((N,) float64; exp(-dist) is the weight of a
        correspondence). The reference image is the first.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is broken, or its contents are not as described.
    """
    path = os.fspath(path)
    entries = read_arrays(
        path,
        dict(
            im_i_path=_MAX_PATH,
            im_j_path=_MAX_PATH,
            pt_i=2 * max_points,
            pt_j=2 * max_points,
            dist_from_center=max_points,
        ),
    )
    for name, (array, attributes) in entries.items():
        if attributes.get('MATLAB_empty'):
            # MATLAB stores the shape of an empty array in place of its values.
            shape = (0, 2) if name.startswith('pt_') else (0,)
            entries[name] = np.zeros(shape, array.dtype), attributes
    pair = dict(
        img_path=_decode_path(entries['im_i_path'][0], 'im_i_path', path),
        img_path2=_decode_path(entries['im_j_path'][0], 'im_j_path', path),
        points=_as_points(*entries['pt_i'], 'pt_i', path),
        points2=_as_points(*entries['pt_j'], 'pt_j', path),
        dist_from_center=_as_distances(entries['dist_from_center'][0], path),
    )
    _check_counts(pair, path)
    return pair


def write_pair_file(path: str | os.PathLike, pair: dict[str, Any]) -> None:
    """Write the correspondences of one image pair in the published format.

    The file appears under its name only when it is complete.

    Args:
        path: File to write, ``.mat`` by custom; missing folders are made.
        pair: The keys that :func:`read_pair_file` returns.

    Raises:
        KeyError: A key is missing.
        ValueError: An array is not of the described shape.
    """
    path = os.fspath(path)
    pair = _checked_pair(pair, path)
    matlab_class = {np.dtype(np.uint16): b'char', np.dtype(float): b'double'}
    arrays = dict(
        im_i_path=_encode_path(pair['img_path'])[:, None],
        im_j_path=_encode_path(pair['img_path2'])[:, None],
        pt_i=pair['points'],
        pt_j=pair['points2'],
        dist_from_center=pair['dist_from_center'][None, :],
    )
    with whole_file(path) as part, h5py.File(part, 'w') as file:
        for name, array in arrays.items():
            dataset = file.create_dataset(name, data=array)
            kind = np.bytes_(matlab_class[array.dtype])
            dataset.attrs['MATLAB_class'] = kind
            if name.startswith('pt_'):
                dataset.attrs['axes'] = np.bytes_(_AXES)


def _decode_path(codes: np.ndarray, name: str, path: str) -> str:
    flat = codes.ravel()
    if codes.dtype.kind not in 'ui' or codes.size != max(
        codes.shape, default=0
    ):
        raise ValueError(
            f'`{name}` should hold character codes of shape (L, 1) or (L,), '
            f'but got {codes.dtype} {codes.shape!r} in {path!r}. Save the '
            'image path as char.'
        )
    # Fixed-width writers fill up with NULs or blanks.
    while len(flat) and flat[-1] in (0, 32):
        flat = flat[:-1]
    if not len(flat) or flat.min() < 32 or flat.max() > 65535:
        raise ValueError(
            f'`{name}` should hold the character codes of a path, but got '
            f'{flat[:8].tolist()!r} ... in {path!r}. Save the image path as '
            'char, not as string.'
        )
    try:
        # MATLAB's characters are UTF-16.
        text = flat.astype('<u2').tobytes().decode('utf-16-le')
    except UnicodeDecodeError as error:
        raise ValueError(
            f'`{name}` should hold UTF-16 character codes, but got '
            f'{flat[:8].tolist()!r} ... in {path!r}. Save the image path as '
            'char.'
        ) from error
    return text.replace('\\', '/')


def _encode_path(img_path: str) -> np.ndarray:
    return np.frombuffer(img_path.encode('utf-16-le'), dtype=np.uint16)


def _as_numbers(array: np.ndarray, name: str, path: str) -> np.ndarray:
    """Float64, of which float32 is finite: the type of the loader's points."""
    finite = array.dtype.kind in 'fui'
    if finite:
        with np.errstate(over='ignore', invalid='ignore'):
            numbers = array.astype(np.float64)
            finite = bool(np.isfinite(numbers.astype(np.float32)).all())
    if not finite:
        raise ValueError(
            f'`{name}` should hold finite numbers, but got {array.dtype} '
            f'with {array.ravel()[:4].tolist()!r} ... in {path!r}. Write the '
            'file again.'
        )
    return numbers


def _as_points(
    array: np.ndarray, attributes: dict, name: str, path: str
) -> np.ndarray:
    """(N, 2) points from (N, 2) or (2, N)."""
    if array.ndim != 2 or 2 not in array.shape:
        raise ValueError(
            f'`{name}` should have the shape (N, 2) or (2, N), but got '
            f'{array.shape!r} in {path!r}. Write x and y of each point.'
        )
    array = _as_numbers(array, name, path)
    ours = attributes.get('axes') in (_AXES, _AXES.encode())
    if array.shape == (2, 2) and not ours:
        raise ValueError(
            f'`{name}` should tell its rows from its columns, but got the '
            f'shape (2, 2) in {path!r}: the two points may lie along either. '
            f'Write the file with `write_pair_file`, or leave it out.'
        )
    if array.shape[1] != 2:
        array = np.ascontiguousarray(array.T)
    return array


def _as_distances(array: np.ndarray, path: str) -> np.ndarray:
    name = 'dist_from_center'
    # An empty array has no length to compare: (1, 0), (0, 1) and (0,).
    if array.size and array.size != max(array.shape, default=0):
        raise ValueError(
            f'`{name}` should have the shape (1, N), but got '
            f'{array.shape!r} in {path!r}. Write one number a correspondence.'
        )
    distances = _as_numbers(array, name, path).ravel()
    if (distances < 0).any():
        raise ValueError(
            f'`{name}` should be at least 0, but got {distances.min()} in '
            f'{path!r}. The weight of a correspondence is exp(-dist).'
        )
    return distances


def _check_counts(pair: dict[str, Any], path: str) -> None:
    counts = tuple(
        len(pair[key]) for key in ('points', 'points2', 'dist_from_center')
    )
    if len(set(counts)) != 1:
        raise ValueError(
            '`pt_i`, `pt_j` and `dist_from_center` should hold the same '
            f'number of correspondences, but got {counts!r} in {path!r}. '
            'Write the file again.'
        )


def _checked_pair(pair: dict[str, Any], path: str) -> dict[str, Any]:
    """A copy with arrays of the right shape and type."""
    checked: dict[str, Any] = {}
    for key in ('img_path', 'img_path2'):
        checked[key] = str(_take(pair, key, path)).replace('\\', '/')
        if not checked[key]:
            raise ValueError(
                f"`{key}` should be an image path, but got '' for {path}. "
                'Give it relative to the image root.'
            )
    for key in ('points', 'points2'):
        array = np.asarray(_take(pair, key, path))
        if array.ndim != 2 or array.shape[1] != 2:
            raise ValueError(
                f'`{key}` should have the shape (N, 2), but got '
                f'{array.shape!r} for {path}. Give x and y of each point.'
            )
        checked[key] = _as_numbers(array, key, path)
    dist = np.asarray(_take(pair, 'dist_from_center', path))
    checked['dist_from_center'] = _as_distances(dist, path)
    _check_counts(checked, path)
    return checked


def _take(pair: dict[str, Any], key: str, path: str) -> Any:
    if key not in pair:
        raise KeyError(
            f'`pair` should have the key {key!r}, but got {sorted(pair)!r} '
            f'for {path}. See `read_pair_file` for the keys.'
        )
    return pair[key]
