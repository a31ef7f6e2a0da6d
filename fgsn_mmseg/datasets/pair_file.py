"""Reading, checking and writing one correspondence file.

The published files are MATLAB v7.3 files, that is HDF5, one per ordered image
pair. MATLAB stores its arrays transposed: its 2 x N points are (N, 2) here.
Other writers may leave (2, N). Both are read. Two points, (2, 2), look the
same either way: then MATLAB's own attribute ``MATLAB_class`` on the dataset
says that the published layout is meant, and a file without it is refused
rather than guessed at. :func:`write_pair_file` sets this attribute.
"""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np

_DATASETS = ('im_i_path', 'im_j_path', 'pt_i', 'pt_j', 'dist_from_center')


def read_pair_file(path: str | os.PathLike) -> dict[str, Any]:
    """Read the correspondences of one image pair.

    Args:
        path: File in the published format; root entries that it does not
            know are ignored.

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
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'`path` should be a correspondence file, but got {path!r}. '
            'Check the folder and the list of names.'
        )
    try:
        with h5py.File(path, 'r') as file:
            entries = {name: _load(file, name, path) for name in _DATASETS}
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f'`path` should be a readable HDF5 file (MATLAB v7.3), but got '
            f'{path!r} ({reason}). Fetch or write the file again.'
        ) from error
    pair = dict(
        img_path=_decode_path(entries, 'im_i_path', path),
        img_path2=_decode_path(entries, 'im_j_path', path),
        points=_as_points(entries, 'pt_i', path),
        points2=_as_points(entries, 'pt_j', path),
        dist_from_center=_as_vector(entries, 'dist_from_center', path),
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
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    partial = f'{path}.{os.getpid()}.partial'
    try:
        with h5py.File(partial, 'w') as file:
            for name, array in arrays.items():
                dataset = file.create_dataset(name, data=array)
                kind = np.bytes_(matlab_class[array.dtype])
                dataset.attrs['MATLAB_class'] = kind
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)


def _load(file: h5py.File, name: str, path: str) -> tuple:
    """One dataset and whether MATLAB's layout is certain."""
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(
            f'`{name}` should be a dataset at the root of {path}, but got '
            f'{sorted(file)!r} there. Needed are {", ".join(_DATASETS)}.'
        )
    array = dataset[()]
    if dataset.attrs.get('MATLAB_empty'):
        # MATLAB stores the shape of an empty array in place of its values.
        array = np.zeros((0, 2) if name.startswith('pt_') else 0)
    return np.asarray(array), 'MATLAB_class' in dataset.attrs


def _decode_path(entries: dict, name: str, path: str) -> str:
    codes = entries[name][0]
    flat = codes.size == max(codes.shape, default=0)
    if codes.dtype.kind not in 'ui' or codes.size == 0 or not flat:
        raise ValueError(
            f'`{name}` should hold character codes of shape (L, 1) or (L,), '
            f'but got {codes.dtype} {codes.shape!r} in {path}. Write the '
            'image path as uint16.'
        )
    try:
        # MATLAB's characters are UTF-16.
        return codes.ravel().astype('<u2').tobytes().decode('utf-16-le')
    except UnicodeDecodeError as error:
        raise ValueError(
            f'`{name}` should hold UTF-16 character codes, but got '
            f'{codes.ravel()[:8].tolist()!r} ... in {path}. Write the file '
            'again.'
        ) from error


def _encode_path(img_path: str) -> np.ndarray:
    return np.frombuffer(img_path.encode('utf-16-le'), dtype=np.uint16)


def _as_numbers(array: np.ndarray, name: str, path: str) -> np.ndarray:
    if array.dtype.kind not in 'fui' or not np.isfinite(array).all():
        raise ValueError(
            f'`{name}` should hold finite numbers, but got {array.dtype} '
            f'with {array.ravel()[:4].tolist()!r} ... in {path}. Write the '
            'file again.'
        )
    return array.astype(np.float64)


def _as_points(entries: dict, name: str, path: str) -> np.ndarray:
    """(N, 2) points from (N, 2) or (2, N)."""
    array, from_matlab = entries[name]
    if array.ndim != 2 or 2 not in array.shape:
        raise ValueError(
            f'`{name}` should have the shape (N, 2) or (2, N), but got '
            f'{array.shape!r} in {path}. Write x and y of each point.'
        )
    array = _as_numbers(array, name, path)
    if array.shape == (2, 2) and not from_matlab:
        raise ValueError(
            f'`{name}` should tell its rows from its columns, but got the '
            f'shape (2, 2) in {path}: the two points may lie along either. '
            'Store (N, 2) and give the dataset the attribute MATLAB_class, '
            'or leave the file out.'
        )
    if array.shape[1] != 2:
        array = np.ascontiguousarray(array.T)
    return array


def _as_vector(entries: dict, name: str, path: str) -> np.ndarray:
    array = entries[name][0]
    # An empty array has no length to compare: (1, 0), (0, 1) and (0,).
    if array.size and array.size != max(array.shape, default=0):
        raise ValueError(
            f'`{name}` should have the shape (1, N), but got '
            f'{array.shape!r} in {path}. Write one number a correspondence.'
        )
    return _as_numbers(array, name, path).ravel()


def _check_counts(pair: dict[str, Any], path: str) -> None:
    counts = tuple(
        len(pair[key]) for key in ('points', 'points2', 'dist_from_center')
    )
    if len(set(counts)) != 1:
        raise ValueError(
            '`pt_i`, `pt_j` and `dist_from_center` should hold the same '
            f'number of correspondences, but got {counts!r} in {path}. Write '
            'the file again.'
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
    checked['dist_from_center'] = _as_vector(
        {'dist_from_center': (dist, False)}, 'dist_from_center', path
    )
    _check_counts(checked, path)
    return checked


def _take(pair: dict[str, Any], key: str, path: str) -> Any:
    if key not in pair:
        raise KeyError(
            f'`pair` should have the key {key!r}, but got {sorted(pair)!r} '
            f'for {path}. See `read_pair_file` for the keys.'
        )
    return pair[key]
