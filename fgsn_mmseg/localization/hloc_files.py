"""hloc's HDF5 files: features and matches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from fgsn_mmseg.files import whole_file
from fgsn_mmseg.geometry import from_colmap, to_colmap


@contextmanager
def open_h5(path: str | os.PathLike) -> Iterator[h5py.File]:
    """Open an HDF5 file to read, with errors that name it."""
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'`path` should be an HDF5 file of hloc, but got {path!r}.'
        )
    try:
        file = h5py.File(path, 'r', locking=False)
    except OSError as error:
        raise ValueError(
            f'`path` should be a readable HDF5 file, but got {path!r}.'
        ) from error
    with file:
        yield file


def image_names(features: h5py.File) -> list[str]:
    """Names of the images in a features file, sorted."""
    names: list[str] = []

    def visit(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Group) and 'keypoints' in entry:
            names.append(name)

    features.visititems(visit)
    return sorted(names)


def read_keypoints(features: h5py.File, name: str) -> np.ndarray:
    """Keypoints of an image in COLMAP's pixels.

    Args:
        features: Open features file.
        name: Of the image.

    Returns:
        (N, 2) float64, 0.5 = centre of the first pixel (0 in the file).

    Raises:
        ValueError: The file has no keypoints of the image, or they are not
            finite, or of a shape that hloc does not write.
    """
    entry = features.get(f'{name}/keypoints')
    if not isinstance(entry, h5py.Dataset):
        raise ValueError(
            f'`features` should have keypoints of {name!r}, but '
            f'{features.filename} has none.'
        )
    keypoints = np.asarray(entry, dtype=np.float64)
    if keypoints.ndim != 2 or keypoints.shape[1] < 2:
        raise ValueError(
            f'`keypoints` should be of shape (N, 2), but got '
            f'{keypoints.shape} for {name!r} in {features.filename}.'
        )
    bad = np.flatnonzero(~np.isfinite(keypoints[:, :2]).all(axis=1))
    if len(bad):
        raise ValueError(
            f'`keypoints` should be finite, but got {len(bad)} of '
            f'{len(keypoints)} with NaN or infinity for {name!r} in '
            f'{features.filename}. Extract them again.'
        )
    return to_colmap(keypoints[:, :2])


def image_size(features: h5py.File, name: str) -> tuple[int, int]:
    """(width, height) of an image, as the features file has it."""
    entry = features.get(f'{name}/image_size')
    if not isinstance(entry, h5py.Dataset):
        raise ValueError(
            f'`features` should have the image_size of {name!r}, but '
            f'{features.filename} has none. Extract them with hloc again.'
        )
    width, height = np.asarray(entry).tolist()
    return int(width), int(height)


def find_pair(
    matches: h5py.File, name0: str, name1: str
) -> tuple[str, bool] | None:
    """Where the matches of two images are.

    Args:
        matches: Open matches file.
        name0: Of one image.
        name1: Of the other.

    Returns:
        The group's path and whether it is stored from ``name1`` to
        ``name0``; None where there is no such pair.
    """
    for first, second, swapped in (
        (name0, name1, False),
        (name1, name0, True),
    ):
        first, second = first.replace('/', '-'), second.replace('/', '-')
        for path in (f'{first}/{second}', f'{first}_{second}'):
            if f'{path}/matches0' in matches:
                return path, swapped
    return None


def read_matches(
    matches: h5py.File, name0: str, name1: str
) -> np.ndarray | None:
    """Matched keypoints of two images.

    Args:
        matches: Open matches file.
        name0: Of one image.
        name1: Of the other.

    Returns:
        (M, 2) int64 indices into both images' keypoints; None where the file
        does not have the pair.
    """
    found = find_pair(matches, name0, name1)
    if found is None:
        return None
    path, swapped = found
    partner = np.asarray(matches[f'{path}/matches0'], dtype=np.int64).ravel()
    index = np.flatnonzero(partner >= 0)
    pairs = np.column_stack([index, partner[index]])
    return pairs[:, ::-1] if swapped else pairs


def check_matched(
    index: np.ndarray,
    counts: tuple[int, int],
    names: tuple[str, str],
    matches: h5py.File,
) -> None:
    """Raise ValueError if keypoints are matched that do not exist.

    Args:
        index: (M, 2) from :func:`read_matches`.
        counts: Keypoints of both images.
        names: Of the images.
        matches: The file that it was read from.
    """
    if (index.max(axis=0, initial=-1) >= counts).any():
        raise ValueError(
            f'`matches` should be of the same features, but got keypoints '
            f'{index.max(axis=0).tolist()} where {names[0]!r} and '
            f'{names[1]!r} have {counts[0]} and {counts[1]}, in '
            f'{matches.filename}. Match again.'
        )


def write_features(
    path: str | os.PathLike,
    keypoints: Mapping[str, tuple[np.ndarray, tuple[int, int]]],
) -> None:
    """Write a features file without descriptors that hloc reads.

    Args:
        path: File to write; it appears whole or not at all.
        keypoints: By image, (N, 2) pixels, 0.5 = centre of the first pixel,
            and the image's (width, height).
    """
    with whole_file(path) as part, h5py.File(part, 'w') as file:
        for name, (pixels, size) in keypoints.items():
            group = file.create_group(name)
            group['keypoints'] = from_colmap(pixels).astype(np.float32)
            group['image_size'] = np.array(size)


def write_matches(
    path: str | os.PathLike,
    pairs: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray | None]],
) -> None:
    """Write a matches file that hloc reads.

    Args:
        path: File to write; it appears whole or not at all.
        pairs: By (name0, name1), ``matches0`` (N0,) with -1 for none, and
            ``matching_scores0`` (N0,) or None.
    """
    with whole_file(path) as part, h5py.File(part, 'w') as file:
        for (name0, name1), (matches0, scores0) in pairs.items():
            group = file.create_group(
                f'{name0.replace("/", "-")}/{name1.replace("/", "-")}'
            )
            matches0 = np.asarray(matches0)
            # hloc writes 16 bits; more keypoints than that need 32.
            small = matches0.max(initial=0) <= np.iinfo(np.int16).max
            group['matches0'] = matches0.astype(
                np.int16 if small else np.int32
            )
            if scores0 is None:
                scores0 = (matches0 >= 0).astype(np.float32)
            group['matching_scores0'] = np.asarray(scores0, dtype=np.float16)
