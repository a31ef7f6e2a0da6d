"""A matcher without hloc: SIFT of OpenCV against the map's images."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import mmengine
import numpy as np
from scipy.spatial import cKDTree

from fgsn_mmseg.datasets import read_image
from fgsn_mmseg.geometry import to_colmap

from .hloc_files import write_features, write_matches
from .model import MapModel


@dataclass(frozen=True)
class SiftOptions:
    """Numbers of :func:`match_by_sift`.

    Attributes:
        max_features: Strongest features of an image that are kept.
        contrast: OpenCV's ``contrastThreshold``; lower finds more features
            in dark images.
        max_distance: Pixels from a feature of a database image to the
            model's keypoint that it is taken for.
        ratio: A match is kept if its descriptor's distance is at most this
            times that of the second nearest one. 1 keeps all: labels decide.
    """

    max_features: int = 4000
    contrast: float = 0.02
    max_distance: float = 3.0
    ratio: float = 0.9

    def __post_init__(self) -> None:
        for name in ('max_features', 'contrast', 'max_distance', 'ratio'):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(
                    f'`{name}` should be above 0, but got {value!r}.'
                )


Features = tuple[np.ndarray, np.ndarray]
"""Keypoints (N, 2), 0.5 = centre of the first pixel, descriptors (N, 128)."""


def match_by_sift(
    model: MapModel,
    images: str | os.PathLike,
    pairs: Mapping[str, Sequence[str]],
    features: str | os.PathLike,
    matches: str | os.PathLike,
    options: SiftOptions | None = None,
) -> dict[str, int]:
    """Match queries with a map, and write what came out as hloc's files.

    Mutual nearest neighbours of RootSIFT descriptors. The features of a
    database image are those of the model: a SIFT feature stands for the
    nearest keypoint that has a 3D point, so models of any features will do.

    Args:
        model: The map.
        images: Folder of its images and of the queries.
        pairs: Database images by query, see
            :func:`~.hloc_lists.read_retrieval`.
        features: File to write, as hloc's ``features.h5``.
        matches: File to write, as hloc's ``matches.h5``.
        options: Numbers.

    Returns:
        Number of matches of each query.

    Raises:
        ValueError: A database image is not in the model, or a photo cannot
            be read.
    """
    options = options or SiftOptions()
    folder = os.fspath(images)
    known: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    keypoints: dict[str, tuple[np.ndarray, tuple[int, int]]] = {}
    found: dict = {}
    counts = {}
    bar = mmengine.ProgressBar(len(pairs))
    for query, database in pairs.items():
        spots, texts, size = _sift(osp.join(folder, query), options)
        keypoints[query] = spots, size
        counts[query] = 0
        for name in database:
            if name not in known:
                known[name] = _map_features(model, folder, name, options)
                camera = model.images[name].camera
                size = camera['width'], camera['height']
                keypoints[name] = model.images[name].points2d, size
            rows, own = known[name]
            partner = _mutual(texts, own, options.ratio)
            partner[partner >= 0] = rows[partner[partner >= 0]]
            found[query, name] = partner, None
            counts[query] += int((partner >= 0).sum())
        bar.update()
    bar.file.write('\n')
    write_features(features, keypoints)
    write_matches(matches, found)
    return counts


def _map_features(
    model: MapModel, folder: str, name: str, options: SiftOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a database image's keypoints and descriptors there."""
    if name not in model.images:
        raise ValueError(
            f'`pairs` should lead to images of the model, but got {name!r}, '
            f'which is not among its {len(model.images)}.'
        )
    image = model.images[name]
    spots, texts, size = _sift(osp.join(folder, name), options)
    wanted = image.camera['width'], image.camera['height']
    if size != wanted:
        raise ValueError(
            f'`images` should hold the images of the model, but got '
            f'{size[0]} x {size[1]} pixels of {name!r} instead of '
            f'{wanted[0]} x {wanted[1]}.'
        )
    rows = np.flatnonzero(image.point_rows >= 0)
    if not len(rows) or not len(spots):
        return np.zeros(0, np.int64), np.zeros((0, 128), np.float32)
    distance, nearest = cKDTree(image.points2d[rows]).query(spots)
    near = distance <= options.max_distance
    return rows[nearest[near]], texts[near]


def _sift(
    path: str, options: SiftOptions
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Keypoints, RootSIFT descriptors and (width, height) of a photo."""
    photo = read_image(path)
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    detector = cv2.SIFT.create(
        options.max_features, contrastThreshold=options.contrast
    )
    spots, texts = detector.detectAndCompute(grey, None)
    if texts is None:
        texts = np.zeros((0, 128), np.float32)
    where = np.array([spot.pt for spot in spots]).reshape(-1, 2)
    # Arandjelovic and Zisserman, CVPR 2012.
    sums = np.maximum(texts.sum(1, keepdims=True), 1e-9)
    size = grey.shape[1], grey.shape[0]
    return to_colmap(where), np.sqrt(texts / sums), size


def _mutual(first: np.ndarray, second: np.ndarray, ratio: float) -> np.ndarray:
    """Row of each descriptor's mutual nearest neighbour, -1 for none: (N,)."""
    partner = np.full(len(first), -1, dtype=np.int64)
    if not len(first) or len(second) < 2:
        return partner
    # The descriptors have length 1.
    likeness = first @ second.T
    best = likeness.argmax(1)
    rows = np.arange(len(first))
    distance = 2 - 2 * likeness[rows, best]
    likeness_left = likeness.copy()
    likeness_left[rows, best] = -np.inf
    second_distance = 2 - 2 * likeness_left.max(1)
    good = likeness.argmax(0)[best] == rows
    good &= distance <= ratio**2 * second_distance
    partner[good] = best[good]
    return partner
