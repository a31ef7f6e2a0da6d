"""Correspondences between the reference and the other traversals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..datasets import write_pair_file
from .images import observation_path
from .settings import ImageKey, WorldSettings, image_name, pair_name


def make_pair(settings: WorldSettings, root: Path, key: ImageKey) -> int:
    """Write the correspondences of an image with its reference image.

    Args:
        settings: Of the world.
        root: Folder of the world; the observations of both are there.
        key: The target image; its traversal is not the reference.

    Returns:
        Number of correspondences.
    """
    pair = match(settings, root, key)
    path = root / 'correspondence_data' / pair_name(key)
    write_pair_file(path, pair)
    return len(pair['points'])


def match(
    settings: WorldSettings, root: Path, key: ImageKey
) -> dict[str, Any]:
    """Correspondences of an image with its reference image.

    Args:
        settings: Of the world.
        root: Folder of the world.
        key: The target image.

    Returns:
        The record that `write_pair_file` takes. `dist_from_center` is the
        mean of both points' distances from the centres of their images, in
        diagonals: 0 in the centre, 0.5 in a corner.
    """
    reference = key._replace(traversal=0)
    index, points = _observation(root, reference)
    index2, points2 = _observation(root, key)
    _, at, at2 = np.intersect1d(
        index, index2, assume_unique=True, return_indices=True
    )
    rng = np.random.default_rng([settings.seed, 7, *key])
    if len(at) > settings.max_points:
        chosen = rng.permutation(len(at))[: settings.max_points]
        at, at2 = at[np.sort(chosen)], at2[np.sort(chosen)]
    points, points2 = points[at], points2[at2]
    size = np.array([settings.width, settings.height])
    if settings.wrong_share:
        points2 = _spoil(points2, settings.wrong_share, size, rng)
    if settings.noise_px:
        points = _jitter(points, settings.noise_px, size, rng)
        points2 = _jitter(points2, settings.noise_px, size, rng)
    return dict(
        img_path=f'{image_name(reference)}.jpg',
        img_path2=f'{image_name(key)}.jpg',
        points=points,
        points2=points2,
        dist_from_center=(
            _off_centre(points, size) + _off_centre(points2, size)
        )
        / 2,
    )


def _observation(root: Path, key: ImageKey) -> tuple[np.ndarray, np.ndarray]:
    with np.load(observation_path(root, key)) as data:
        return data['index'], data['pixels']


def _spoil(
    points: np.ndarray,
    share: float,
    size: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Lead a share of the points to random places in the image."""
    wrong = rng.random(len(points)) < share
    anywhere = rng.random(points.shape) * (size - 1)
    return np.where(wrong[:, None], anywhere, points)


def _jitter(
    points: np.ndarray,
    sigma: float,
    size: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Add noise; no point leaves the image."""
    moved = points + rng.normal(0, sigma, points.shape)
    return np.clip(moved, 0, size - 1)


def _off_centre(points: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(N,) distance from the image's centre in diagonals."""
    gap = points - (size - 1) / 2
    return np.hypot(*gap.T) / np.hypot(*size)
