from __future__ import annotations

import os
from pathlib import Path

import h5py
import torch

from ..files import whole_file
from .codebook import Codebook

# Names in the files that the authors' code leaves, and ours.
DATASETS = dict(
    cluster_centroids='centroids',
    pca_transform_Amat='pca_matrix',
    pca_transform_bvec='pca_bias',
)


def write_codebook(path: str | os.PathLike, codebook: Codebook) -> None:
    """Write a codebook in the layout of the authors' ``centroids_*.h5``.

    Args:
        path: File to write; its folder is made.
        codebook: The codebook.
    """
    with whole_file(path) as part, h5py.File(part, 'w') as file:
        for name, buffer in DATASETS.items():
            file[name] = getattr(codebook, buffer).cpu().numpy()


def read_codebook(path: str | os.PathLike) -> Codebook:
    """Read a codebook written by :func:`write_codebook` or by the authors.

    Args:
        path: HDF5 file with ``cluster_centroids`` (K, D),
            ``pca_transform_Amat`` (C, D) and ``pca_transform_bvec`` (D,).

    Returns:
        The codebook.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no HDF5 file, lacks a data set, or these do not
            fit together.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'`path` should be a codebook file, but got {str(path)!r}, which '
            'is not there. A clustering writes clustering_iter_<n>.h5 into '
            'the work directory.'
        )
    try:
        with h5py.File(path, 'r') as file:
            state = {
                buffer: torch.from_numpy(file[name][()]).float()
                for name, buffer in DATASETS.items()
            }
    except (OSError, KeyError) as error:
        raise ValueError(
            f'{str(path)!r} should be an HDF5 file with '
            f'{", ".join(DATASETS)}, but: {error}.'
        ) from error
    state['pca_bias'] = state['pca_bias'].flatten()
    shapes = {name: tuple(state[DATASETS[name]].shape) for name in DATASETS}
    centroids, matrix, bias = shapes.values()
    if (
        len(centroids) != 2
        or len(matrix) != 2
        or not centroids[1] == matrix[1] == bias[0]
    ):
        raise ValueError(
            f'{str(path)!r} should hold cluster_centroids (K, D), '
            f'pca_transform_Amat (C, D) and pca_transform_bvec (D,), but got '
            f'{shapes}.'
        )
    codebook = Codebook(centroids[0], *matrix)
    codebook.load_state_dict(state)
    return codebook
