from __future__ import annotations

import os

import h5py
import numpy as np
import torch

from ..files import read_arrays, whole_file
from .codebook import Codebook

# Names in the files that the authors' code leaves, and ours.
DATASETS = dict(
    cluster_centroids='centroids',
    pca_transform_Amat='pca_matrix',
    pca_transform_bvec='pca_bias',
)
MAX_NUMBERS = 100_000_000
"""Default limit: 0.4 GB, 100,000 clusters of 1,000 dimensions."""


def write_codebook(path: str | os.PathLike, codebook: Codebook) -> None:
    """Write a codebook in the layout of the authors' ``centroids_*.h5``.

    Args:
        path: File to write; its folder is made.
        codebook: The codebook.
    """
    with whole_file(path) as part, h5py.File(part, 'w') as file:
        for name, buffer in DATASETS.items():
            file[name] = getattr(codebook, buffer).cpu().numpy()


def read_codebook(
    path: str | os.PathLike, max_numbers: int = MAX_NUMBERS
) -> Codebook:
    """Read a codebook written by :func:`write_codebook` or by the authors.

    Args:
        path: HDF5 file with ``cluster_centroids`` (K, D),
            ``pca_transform_Amat`` (C, D) and ``pca_transform_bvec`` (D,).
        max_numbers: A file with a larger array is refused before it is read.

    Returns:
        The codebook.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no HDF5 file, lacks a data set, or these do not
            fit together.
    """
    path = os.fspath(path)
    arrays = read_arrays(path, dict.fromkeys(DATASETS, max_numbers))
    state = {}
    for name, buffer in DATASETS.items():
        with np.errstate(over='ignore'):
            array = arrays[name][0].astype(np.float32)
        if not np.isfinite(array).all():
            raise ValueError(
                f'`{name}` should hold finite numbers, but got NaN or '
                f'infinity in {path!r}. Write the codebook again.'
            )
        state[buffer] = torch.from_numpy(array)
    state['pca_bias'] = state['pca_bias'].flatten()
    shapes = {name: tuple(state[DATASETS[name]].shape) for name in DATASETS}
    centroids, matrix, bias = shapes.values()
    if (
        len(centroids) != 2
        or len(matrix) != 2
        or not centroids[1] == matrix[1] == bias[0]
        or not centroids[0] * centroids[1] * matrix[0]
    ):
        raise ValueError(
            f'{path!r} should hold cluster_centroids (K, D), '
            f'pca_transform_Amat (C, D) and pca_transform_bvec (D,), but got '
            f'{shapes}.'
        )
    codebook = Codebook(centroids[0], *matrix)
    codebook.load_state_dict(state)
    return codebook
