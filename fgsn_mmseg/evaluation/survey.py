"""The labels of a network on a whole set, kept for tables and pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import load_checkpoint
from mmseg.registry import DATASETS, MODELS
from torch import Tensor

from ..geometry import at_points
from ..models import FGSN
from .agreement import agreement_figures
from .stationary import count_at_points, stationary_clusters

# Scores of one block of points: 64 MB of float32.
MAX_BLOCK = 1 << 24


@dataclass
class PairLabels:
    """Labels of one pair at its correspondences."""

    img_path: str
    img_path2: str
    points: np.ndarray
    """(N, 2) x, y in pixels of the original reference."""
    points2: np.ndarray
    """(N, 2) the same in the target."""
    labels: np.ndarray
    """(N,) in 0..K-1."""
    labels2: np.ndarray
    """(N,) in 0..K-1."""


@dataclass
class Survey:
    """What a network says about a set of pairs."""

    num_clusters: int
    pairs: list[PairLabels] = field(default_factory=list)
    label_maps: dict[str, np.ndarray] = field(default_factory=dict)
    """By image path, (H, W) uint16 in the size of the image."""
    at_points: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(K,) pixels of a label at correspondences, see `count_at_points`."""
    elsewhere: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(K,) its other pixels in the same images."""

    def pooled(
        self, keep: Sequence[bool] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both labels of all correspondences, (N,) each.

        Args:
            keep: Which pairs. Defaults to None, all.
        """
        keep = [True] * len(self.pairs) if keep is None else keep
        chosen = [pair for pair, kept in zip(self.pairs, keep) if kept]
        empty = np.zeros(0, np.int64)
        return (
            np.concatenate([empty, *(pair.labels for pair in chosen)]),
            np.concatenate([empty, *(pair.labels2 for pair in chosen)]),
        )

    def figures(self, keep: Sequence[bool] | None = None) -> dict[str, float]:
        """Agreement figures of some pairs, see `agreement_figures`."""
        return agreement_figures(*self.pooled(keep), self.num_clusters)

    def stationary(self) -> list[int]:
        """Clusters that lie on things that stay."""
        return stationary_clusters(self.at_points, self.elsewhere)


def survey_labels(
    model: FGSN,
    pairs: Any,
    who: str = 'student',
    every: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Label all images and all correspondences of a set of pairs.

    Args:
        model: In eval mode.
        pairs: Data set whose samples are those of ``PackPairInputs``;
            nothing may be drawn or cropped in its pipeline.
        who: ``'student'``, or ``'teacher'`` for the labels that are taught:
            those of the clustering before any training on them.
        every: Stationary clusters are counted in the reference of every
            n-th pair, in the network's input (paper: 5).
        progress: Called with the number of pairs done and of all.

    Returns:
        The labels.

    Raises:
        ValueError: The teacher is asked, but there is none.
    """
    if who not in ('student', 'teacher'):
        raise ValueError(
            f"`who` should be 'student' or 'teacher', but got {who!r}. The "
            'teacher has the labels as they were clustered.'
        )
    if who == 'teacher' and (model.teacher is None or model.codebook is None):
        raise ValueError(
            '`model` should have a teacher, but got one that was never '
            'clustered. Load a checkpoint of its training.'
        )
    number = model.num_clusters
    survey = Survey(
        number, at_points=np.zeros(number), elsewhere=np.zeros(number)
    )
    known: dict[str, Any] = {}
    for index in range(len(pairs)):
        data = model.data_preprocessor(pseudo_collate([pairs[index]]), False)
        sample = data['data_samples'][0]
        record: dict[str, Any] = {}
        for suffix in ('', '2'):
            path = sample.metainfo[f'img_path{suffix}']
            if path not in known:
                known[path] = _Labeller(
                    model, data['inputs'][f'img{suffix}'], who
                )
                survey.label_maps[path] = (
                    known[path]
                    .label_map(sample.metainfo[f'ori_shape{suffix}'])
                    .astype(np.uint16)
                )
            points = getattr(sample, f'points{suffix}')
            record[f'labels{suffix}'] = known[path].at(points)
            record[f'img_path{suffix}'] = path
            record[f'points{suffix}'] = _original(
                points.numpy(), sample.metainfo[f'scale_factor{suffix}']
            )
            if index % every == 0 and not suffix:
                labels = known[path].label_map(sample.metainfo['img_shape'])
                counts = count_at_points(labels, points, number)
                survey.at_points += counts[0]
                survey.elsewhere += counts[1]
        survey.pairs.append(PairLabels(**record))
        if progress is not None:
            progress(index + 1, len(pairs))
    return survey


def survey_checkpoint(
    config: Config,
    checkpoint: str | os.PathLike,
    who: str = 'student',
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Survey the validation pairs of a config with one of its checkpoints.

    Args:
        config: Of an FGSN.
        checkpoint: File with its weights and, for the teacher, its labels.
        who: See `survey_labels`.
        progress: See `survey_labels`.

    Returns:
        The labels.
    """
    model = MODELS.build(config.model)
    load_checkpoint(model, str(checkpoint), map_location='cpu', strict=True)
    pairs = DATASETS.build(config.val_dataloader.dataset)
    return survey_labels(model.eval(), pairs, who, progress=progress)


class _Labeller:
    """The labels of one image, at any place of it."""

    def __init__(self, model: Any, image: Tensor, who: str) -> None:
        self.model = model
        self.size = tuple(image.shape[-2:])
        self.assign: Any = _largest
        network: Any = model.student_logits
        if who == 'teacher':
            self.assign, network = model.codebook.assign, model.teacher
        blended = model.over_windows(network, image)
        self.maps, self.extent = blended.data[0], blended.extent

    def at(self, points: Tensor) -> np.ndarray:
        """Labels (N,) int64 at points (N, 2) of the network's input."""
        rows = max(1, MAX_BLOCK // len(self.maps))
        labels = [
            self.assign(
                at_points(self.maps, block, self.extent, self.model.grid)
            )
            for block in points.to(self.maps).split(rows)
        ]
        return torch.cat(labels).cpu().numpy()

    def label_map(self, size: tuple[int, int]) -> np.ndarray:
        """Label map (H, W) int64 of the image at any size."""
        scale = self.size[0] / size[0], self.size[1] / size[1]
        ys = (torch.arange(size[0]) + 0.5) * scale[0] - 0.5
        xs = (torch.arange(size[1]) + 0.5) * scale[1] - 0.5
        grid = torch.meshgrid(ys, xs, indexing='ij')
        points = torch.stack([grid[1], grid[0]], -1).reshape(-1, 2)
        return self.at(points).reshape(size)


def _largest(scores: Tensor) -> Tensor:
    return scores.argmax(1)


def _original(points: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Points of the network's input in pixels of the original image."""
    return (points.astype(np.float64) + 0.5) / np.asarray(scale) - 0.5
