"""What labels are worth that nothing had to be learnt for.

k-means on colours and on hand-made features: rows that stand beside those of
a trained network in every table.
"""

from __future__ import annotations

import os.path as osp
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.utils import track_iter_progress
from torch import Tensor

from ..clustering import kmeans, nearest_centroids, sample_cells
from ..datasets import LoadImagePair, ResizePair, read_pair_file
from ..geometry import resize_points, resize_scale, to_cells
from ..inference import BlendedMap
from .groups import group_of, group_pattern
from .labelling import ImageLabels, label_pairs, pair_figures


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
    standard deviation over them; validation points take interpolated features.
    Each image is read once.

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
        :func:`~fgsn_mmseg.evaluation.labelling.pair_figures`.

    Raises:
        FileNotFoundError: A file or an image is missing.
        ValueError: There are fewer features than clusters.
    """
    pattern = group_pattern(group_by)
    train, val = (
        [_read_pair(path, img_root) for path in files]
        for files in (train_files, val_files)
    )
    load = _loader(short_side)
    samples = _sample_references(
        train, load, baseline, seeds, features_per_image
    )
    codebooks = []
    for k in num_clusters:
        for seed, sample in zip(seeds, samples):
            # A channel that never changes tells nothing: leave it at zero.
            spread = np.maximum(sample.std(axis=0), 1e-6)
            scale = np.asarray(baseline.weights, np.float32) / spread
            codebooks.append((scale, kmeans(sample * scale, k, seed=seed)))

    def assign(features: Tensor) -> Tensor:
        """Labels (N, M) of features (N, C) by M codebooks."""
        rows = features.numpy()
        columns = [
            nearest_centroids(rows * scale, centroids)[1]
            for scale, centroids in codebooks
        ]
        return torch.from_numpy(np.stack(columns, axis=1))

    def labeller(path: str) -> ImageLabels:
        return _look(load(dict(img_path=path)), baseline, assign)

    pairs = label_pairs(labeller, val)
    groups = {'all': pairs}
    if pattern is not None:
        names = [group_of(pattern, pair.img_path2) for pair in pairs]
        for name in sorted(set(names)):
            groups[name] = [p for p, own in zip(pairs, names) if own == name]
    rows = []
    runs = [(k, seed) for k in num_clusters for seed in seeds]
    for column, (k, seed) in enumerate(runs):
        for name, members in groups.items():
            own = [
                replace(
                    pair,
                    labels=pair.labels[:, column],
                    labels2=pair.labels2[:, column],
                )
                for pair in members
            ]
            row = {'num_clusters': k, 'seed': seed, 'group': name}
            rows.append({**row, **pair_figures(own, k)})
    return rows


def _read_pair(path: str, img_root: str) -> dict[str, Any]:
    """A pair with the whole paths of its images."""
    pair = read_pair_file(path)
    for key in ('img_path', 'img_path2'):
        pair[key] = osp.join(img_root, pair[key])
    return pair


def _loader(short_side: int) -> Compose:
    """What reads an image and resizes it."""
    return Compose([LoadImagePair(), ResizePair(short_side)])


def _look(
    sample: Any, baseline: Baseline, assign: Callable[[Tensor], Tensor]
) -> ImageLabels:
    """Labels by the features of an image: a cell is a pixel."""
    features = torch.from_numpy(baseline.features(sample['img']))
    size = sample['img_shape']
    maps = BlendedMap(features.permute(2, 0, 1)[None], size, False)
    return ImageLabels(maps, sample['ori_shape'], size, assign)


def _sample_references(
    pairs: list[dict],
    load: Compose,
    baseline: Baseline,
    seeds: Sequence[int],
    features_per_image: int,
) -> list[np.ndarray]:
    """Features of the reference images; one (M, C) array a seed."""
    points: dict[str, list[np.ndarray]] = {}
    for pair in pairs:
        points.setdefault(pair['img_path'], []).append(pair['points'])
    samples: list[list[np.ndarray]] = [[] for _ in seeds]
    for i, path in enumerate(track_iter_progress(sorted(points))):
        image: Any = load(dict(img_path=path))
        features = baseline.features(image['img'])
        size = features.shape[:2]
        scale = resize_scale(image['ori_shape'], size)
        at = resize_points(np.concatenate(points[path]), scale)
        cells, _ = to_cells(torch.from_numpy(at), size, size, 'centers')
        cells = cells.clamp(torch.zeros(2), torch.tensor(size[::-1]) - 1)
        for seed, sample in zip(seeds, samples):
            generator = torch.Generator().manual_seed(seed * 1_000_003 + i)
            chosen = sample_cells(
                cells.long(), size, features_per_image, generator=generator
            )
            sample.append(features.reshape(-1, features.shape[-1])[chosen])
    return [np.concatenate(sample) for sample in samples]
