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
    """Numbers of :class:`SiftMatcher`.

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


class SiftMatcher:
    """Matches photos with the images of a map.

    Mutual nearest neighbours of RootSIFT descriptors. A feature of a database
    image stands for the nearest keypoint of the model that has a 3D point, so
    models of any features will do.

    Args:
        model (MapModel): The map.
        images (str | os.PathLike): Folder of its images and of the queries.
        options (SiftOptions, optional): Numbers.
    """

    def __init__(
        self,
        model: MapModel,
        images: str | os.PathLike,
        options: SiftOptions | None = None,
    ) -> None:
        self.model = model
        self.images = os.fspath(images)
        self.options = options or SiftOptions()
        self._known: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def match(
        self, query: str, database: Sequence[str]
    ) -> tuple[np.ndarray, tuple[int, int], dict[str, np.ndarray]]:
        """Match one photo.

        Args:
            query: Its name.
            database: Names of images of the model.

        Returns:
            Its keypoints (N, 2), 0.5 = centre of the first pixel, its
            (width, height), and by database image the row of the matched
            keypoint of the model (N,), -1 for none.

        Raises:
            ValueError: A database image is not in the model, or a photo
                cannot be read or is not of the model's size.
        """
        spots, texts, size = _sift(osp.join(self.images, query), self.options)
        found = {}
        for name in database:
            if name not in self._known:
                self._known[name] = self._map_features(name)
            rows, own = self._known[name]
            partner = _mutual(texts, own, self.options.ratio)
            matched = partner >= 0
            partner[matched] = rows[partner[matched]]
            found[name] = partner
        return spots, size, found

    def _map_features(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Rows of a database image's keypoints and descriptors there."""
        if name not in self.model.images:
            raise ValueError(
                f'`database` should hold images of the model, but got '
                f'{name!r}, which is not among its {len(self.model.images)}.'
            )
        image = self.model.images[name]
        spots, texts, size = _sift(osp.join(self.images, name), self.options)
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
        near = distance <= self.options.max_distance
        return rows[nearest[near]], texts[near]


def match_by_sift(
    model: MapModel,
    images: str | os.PathLike,
    pairs: Mapping[str, Sequence[str]],
    features: str | os.PathLike,
    matches: str | os.PathLike,
    options: SiftOptions | None = None,
) -> dict[str, int]:
    """Match queries with a map, and write what came out as hloc's files.

    Args:
        model: The map.
        images: Folder of its images and of the queries.
        pairs: Database images by query, see
            :func:`~.hloc_lists.read_retrieval`.
        features: File to write, as hloc's ``features.h5``; those of a
            database image are the model's.
        matches: File to write, as hloc's ``matches.h5``.
        options: Numbers.

    Returns:
        Number of matches of each query.

    Raises:
        ValueError: A query is an image of the model, or as in
            :meth:`SiftMatcher.match`.
    """
    known = sorted(set(pairs) & set(model.images))
    if known:
        raise ValueError(
            f'`pairs` should be of queries that are not in the model, but '
            f'got {known[0]!r}. tools/localization/leave_one_out.py takes '
            'images of a model as queries.'
        )
    matcher = SiftMatcher(model, images, options)
    keypoints: dict[str, tuple[np.ndarray, tuple[int, int]]] = {}
    found: dict = {}
    counts = {}
    bar = mmengine.ProgressBar(len(pairs))
    for query, database in pairs.items():
        spots, size, partners = matcher.match(query, database)
        keypoints[query] = spots, size
        for name, partner in partners.items():
            image = model.images[name]
            size = image.camera['width'], image.camera['height']
            keypoints[name] = image.points2d, size
            found[query, name] = partner, None
        counts[query] = sum(int((p >= 0).sum()) for p in partners.values())
        bar.update()
    bar.file.write('\n')
    write_features(features, keypoints)
    write_matches(matches, found)
    return counts


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
