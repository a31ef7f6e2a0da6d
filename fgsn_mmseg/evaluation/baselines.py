"""What labels are worth that nothing had to be learnt for.

k-means on colours and on hand-made features: rows that stand beside those of
a trained network in every table.
"""

from __future__ import annotations

import os.path as osp
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.utils import track_iter_progress

from fgsn_mmseg.clustering import kmeans, nearest_centroids, sample_cells
from fgsn_mmseg.datasets import read_pair_file

from .agreement import agreement_figures
from .groups import group_of, group_pattern


def colour_features(image: np.ndarray) -> np.ndarray:
    """Colour of each pixel.

    Args:
        image: (H, W, 3) uint8 BGR.

    Returns:
        (H, W, 3) float32 CIE Lab.
    """
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)


def handmade_features(
    image: np.ndarray, scales: Sequence[float] = (1.0, 3.0, 9.0)
) -> np.ndarray:
    """Colour relative to the image's mean, and gradients at three scales.

    Taking the mean away removes exposure and the colour of the light. The
    gradient's magnitude (root of its energy, blurred) tells texture and edges
    from plain surfaces whatever their colour.

    Args:
        image: (H, W, 3) uint8 BGR.
        scales: Standard deviations of the Gaussians, in pixels, that come
            before the derivatives; the energy is blurred by half of each.

    Returns:
        (H, W, 3 + len(scales)) float32.
    """
    lab = colour_features(image)
    channels = [lab - lab.mean(axis=(0, 1))]
    for scale in scales:
        smooth = cv2.GaussianBlur(lab[..., 0], (0, 0), scale)
        # Sobel sums 8 differences over one pixel: grey levels per pixel.
        dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) / 8
        dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) / 8
        energy = cv2.GaussianBlur(dx * dx + dy * dy, (0, 0), scale / 2)
        channels.append(np.sqrt(np.maximum(energy, 0)))
    return np.dstack(channels).astype(np.float32)


class Baseline(NamedTuple):
    """Features and what each channel counts once all have unit variance."""

    features: Callable[[np.ndarray], np.ndarray]
    weights: Sequence[float]


BASELINES = {
    'colour': Baseline(colour_features, (1, 1, 1)),
    'handmade': Baseline(handmade_features, (1, 1, 1, 1, 1, 1)),
    # The weight was chosen on the held-out pairs of ten photos of one church:
    # not a fair figure there, but a fairer one for what features of this
    # kind can do.
    'handmade-gradient': Baseline(handmade_features, (1, 1, 1, 2, 2, 2)),
}


def kmeans_baseline(
    train_files: Sequence[str],
    val_files: Sequence[str],
    img_root: str,
    baseline: Baseline,
    num_clusters: Sequence[int] = (20,),
    seeds: Sequence[int] = (0,),
    short_side: int = 288,
    features_per_image: int = 500,
    group_by: str | None = None,
) -> list[dict[str, Any]]:
    """Cluster features of the training references, label validation pairs.

    The features that k-means sees are drawn as in the paper's clustering:
    half at correspondences, as many at random. Each channel is divided by its
    standard deviation over them. Each image is read once.

    Args:
        train_files: Correspondence files whose reference images train.
        val_files: Correspondence files whose points are labelled.
        img_root: What the image paths in the files are relative to.
        baseline: Features and weights of their channels.
        num_clusters: Every K to try.
        seeds: Every seed to try, for sampling and k-means.
        short_side: Images are resized to this short side, in pixels.
        features_per_image: Features of one training image at most.
        group_by: Regular expression with one group, searched in the path of
            the target image: further rows, one a group. Defaults to None.

    Returns:
        A row for each K, seed and group: ``num_clusters``, ``seed``,
        ``group`` ('all' first) and the figures of
        :func:`~fgsn_mmseg.evaluation.agreement_figures`.

    Raises:
        FileNotFoundError: A file or an image is missing.
        ValueError: There are fewer features than clusters.
    """
    pattern = group_pattern(group_by)
    train = [read_pair_file(path) for path in train_files]
    pairs = [read_pair_file(path) for path in val_files]
    samples = _sample_references(
        train, img_root, baseline, seeds, short_side, features_per_image
    )
    at_points, at_points2 = _features_at_points(
        pairs, img_root, baseline, short_side
    )
    names = ['all']
    pair_groups = ['all'] * len(pairs)
    if pattern is not None:
        pair_groups = [group_of(pattern, p['img_path2']) for p in pairs]
        names += sorted(set(pair_groups))
    groups = np.repeat(pair_groups, [len(p['points']) for p in pairs])

    rows = []
    for k in num_clusters:
        for seed, sample in zip(seeds, samples):
            # A channel that never changes tells nothing: leave it at zero.
            spread = np.maximum(sample.std(axis=0), 1e-6)
            scale = np.asarray(baseline.weights, np.float32) / spread
            centroids = kmeans(sample * scale, k, seed=seed)
            labels = nearest_centroids(at_points * scale, centroids)[1]
            labels2 = nearest_centroids(at_points2 * scale, centroids)[1]
            for name in names:
                keep = slice(None) if name == 'all' else groups == name
                figures = agreement_figures(labels[keep], labels2[keep], k)
                row = {'num_clusters': k, 'seed': seed, 'group': name}
                rows.append({**row, **figures})
    return rows


def _sample_references(
    pairs: list[dict],
    img_root: str,
    baseline: Baseline,
    seeds: Sequence[int],
    short_side: int,
    features_per_image: int,
) -> list[np.ndarray]:
    """Features of the reference images; one (M, C) array a seed."""
    points: dict[str, list[np.ndarray]] = {}
    for pair in pairs:
        points.setdefault(pair['img_path'], []).append(pair['points'])
    samples: list[list[np.ndarray]] = [[] for _ in seeds]
    for i, path in enumerate(track_iter_progress(sorted(points))):
        image, scale = _read_image(img_root, path, short_side)
        features = baseline.features(image)
        size = features.shape[:2]
        cells = torch.from_numpy(
            _to_pixels(np.concatenate(points[path]), scale, size)
        )
        for seed, sample in zip(seeds, samples):
            generator = torch.Generator().manual_seed(seed * 1_000_003 + i)
            chosen = sample_cells(
                cells, size, features_per_image, generator=generator
            )
            sample.append(features.reshape(-1, features.shape[-1])[chosen])
    return [np.concatenate(sample) for sample in samples]


def _features_at_points(
    pairs: list[dict], img_root: str, baseline: Baseline, short_side: int
) -> list[np.ndarray]:
    """Features at the points of all pairs, (N, C), reference and target."""
    wanted: dict[str, list[tuple]] = {}
    for i, pair in enumerate(pairs):
        wanted.setdefault(pair['img_path'], []).append((0, i, 'points'))
        wanted.setdefault(pair['img_path2'], []).append((1, i, 'points2'))
    found: list[list[np.ndarray]] = [[np.empty(0)] * len(pairs) for _ in '12']
    for path in track_iter_progress(sorted(wanted)):
        image, scale = _read_image(img_root, path, short_side)
        features = baseline.features(image)
        for side, i, key in wanted[path]:
            x, y = _to_pixels(pairs[i][key], scale, features.shape[:2]).T
            found[side][i] = features[y, x]
    return [np.concatenate(side) for side in found]


def _read_image(
    img_root: str, path: str, short_side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Read an image, resized, and the scale in x and y."""
    full_path = osp.join(img_root, path)
    image = cv2.imread(full_path)
    if image is None:
        raise FileNotFoundError(
            f'`img_root` should hold the images that the files name, but got '
            f'{img_root!r}, where {full_path} cannot be read.'
        )
    height, width = image.shape[:2]
    factor = short_side / min(height, width)
    size = (round(width * factor), round(height * factor))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return resized, np.array([size[0] / width, size[1] / height])


def _to_pixels(
    points: np.ndarray, scale: np.ndarray, size: tuple
) -> np.ndarray:
    """Nearest pixels in the resized image; (N, 2) int64 x, y."""
    # (p + 0.5) * scale - 0.5 is the resized point; + 0.5 rounds half up.
    pixels = np.floor((points + 0.5) * scale).astype(np.int64)
    return np.clip(pixels, 0, (size[1] - 1, size[0] - 1))
