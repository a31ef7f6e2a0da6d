"""The likelihood table, learned from correspondence files."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterable

import cv2
import mmengine
import numpy as np

from fgsn_mmseg.datasets import read_image, read_pair_file
from fgsn_mmseg.geometry import to_colmap

from .label_maps import LabelMaps, labels_at
from .likelihood import LabelLikelihood, count_label_pairs

# Correspondences that fix the geometry by which matches are called wrong.
_MIN_POINTS = 15


def learn_likelihood(
    pair_files: Iterable[str],
    images: str,
    maps: LabelMaps,
    num_clusters: int,
    min_error: float = 20.0,
    prior: float | None = None,
) -> tuple[LabelLikelihood, int, int]:
    """Learn from pairs which pairs of labels right and wrong matches have.

    Right are the correspondences of the files, in both directions; wrong are
    plausible ones: SIFT's nearest neighbours between the two images that are
    far off the epipolar line. They share labels more often than random
    matches do.

    Args:
        pair_files: Paths of correspondence files.
        images: Folder that their image paths are relative to.
        maps: Label maps of the images.
        num_clusters: K.
        min_error: Pixels off its epipolar line at which a match is wrong.
        prior: See :meth:`~.likelihood.LabelLikelihood.from_counts`.

    Returns:
        The table, and the numbers of right and of wrong matches counted.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is broken, a map does not fit, or there are no
            matches of a kind.
    """
    counts = np.zeros((2, num_clusters, num_clusters), dtype=np.int64)
    files = list(pair_files)
    bar = mmengine.ProgressBar(len(files))
    for path in files:
        pair = read_pair_file(path)
        names = pair['img_path'], pair['img_path2']
        photos = [read_image(osp.join(images, name)) for name in names]
        labels = [
            found
            for name, photo in zip(names, photos)
            if (found := maps.read(name, photo.shape[1], photo.shape[0]))
            is not None
        ]
        bar.update()
        if len(labels) < 2:
            continue
        right = pair['points'], pair['points2']
        wrong = wrong_matches(photos[0], photos[1], *right, min_error)
        for kind, points in enumerate((right, wrong)):
            first, second = (
                labels_at(label_map, to_colmap(spots))
                for label_map, spots in zip(labels, points)
            )
            table = count_label_pairs(first, second, num_clusters)
            counts[kind] += table + table.T
    bar.file.write('\n')
    likelihood = LabelLikelihood.from_counts(counts[0], counts[1], prior)
    return likelihood, int(counts[0].sum()), int(counts[1].sum())


def wrong_matches(
    photo: np.ndarray,
    photo2: np.ndarray,
    points: np.ndarray,
    points2: np.ndarray,
    min_error: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Matches of SIFT that the correspondences of a pair prove wrong.

    Args:
        photo: (H, W, 3) uint8 BGR.
        photo2: (H', W', 3) uint8 BGR.
        points: (N, 2) right points, 0 = centre of the first pixel.
        points2: (N, 2) theirs in the other image.
        min_error: Pixels off its epipolar line, in either image, at which a
            match is wrong.

    Returns:
        (M, 2) and (M, 2), none where there are fewer than 15 right points.
    """
    nothing = np.zeros((0, 2)), np.zeros((0, 2))
    if len(points) < _MIN_POINTS:
        return nothing
    matrix, _ = cv2.findFundamentalMat(points, points2, cv2.FM_LMEDS)
    sift = cv2.SIFT.create(2000)
    spots, texts = sift.detectAndCompute(photo, None)
    spots2, texts2 = sift.detectAndCompute(photo2, None)
    if matrix is None or texts is None or texts2 is None:
        return nothing
    # Mutual nearest neighbours without a ratio test: what a matcher that is
    # short of matches would hand on.
    found = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(texts, texts2)
    first = np.array([spots[m.queryIdx].pt for m in found]).reshape(-1, 2)
    second = np.array([spots2[m.trainIdx].pt for m in found]).reshape(-1, 2)
    off = np.maximum(
        _line_distance(second, first, matrix),
        _line_distance(first, second, matrix.T),
    )
    return first[off >= min_error], second[off >= min_error]


def _line_distance(
    points: np.ndarray, others: np.ndarray, matrix: np.ndarray
) -> np.ndarray:
    """Distance of points from the epipolar lines of the others: (N,)."""
    ones = np.ones((len(points), 1))
    lines = np.hstack([others, ones]) @ matrix.T
    scale = np.maximum(np.linalg.norm(lines[:, :2], axis=1), 1e-12)
    return np.abs((np.hstack([points, ones]) * lines).sum(1)) / scale
