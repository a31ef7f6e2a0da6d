"""Labels of images at points and as maps, whoever gives the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine import Config
from mmengine.dataset import Compose, pseudo_collate
from mmseg.registry import DATASETS
from numpy.typing import ArrayLike
from torch import Tensor

from ..datasets import LoadCorrespondences
from ..datasets.image_set import image_pipeline
from ..geometry import (
    Size,
    at_points,
    grid_of,
    pixel_cells,
    resize_points,
    resize_scale,
)
from ..inference import BlendedMap, winning_labels_at
from .agreement import agreement_figures
from .hard_matches import hard_figures, hard_matches

# Values of one block of points: 64 MB of float32.
MAX_BLOCK = 1 << 24


@dataclass(frozen=True)
class ImageLabels:
    """Labels of one image at any place of its file.

    It holds the map that the labels are read off (90 MB for 1,000 clusters):
    keep none longer than its image is looked at.
    """

    maps: BlendedMap
    """Logits or features (1, C, h, w) of the network's input."""
    size: Size
    """(H, W) of the file."""
    input_size: Size
    """(H', W') of the file resized to the network's input."""
    assign: Callable[[Tensor], Tensor] | None = None
    """Labels (N,) of values (N, C). None: the largest of C logits."""

    def at(self, points: ArrayLike) -> np.ndarray:
        """Labels at sub-pixel points.

        Args:
            points: (N, 2) x, y in pixels of the file.

        Returns:
            (N,) int64, or what ``assign`` makes of N points.
        """
        maps = self.maps.data[0]
        grid = grid_of(self.maps.align_corners)
        scale = resize_scale(self.size, self.input_size)
        moved = torch.from_numpy(resize_points(points, scale)).to(maps.device)
        assign = self.assign or (lambda logits: logits.argmax(1))
        labels = [
            assign(at_points(maps, block, self.maps.extent, grid))
            for block in moved.split(max(1, MAX_BLOCK // len(maps)))
        ]
        return torch.cat(labels).cpu().numpy()

    def label_map(self) -> np.ndarray:
        """Label map (H, W) int64 in the size of the file."""
        if self.assign is None:
            ys, xs = (
                pixel_cells(
                    self.maps.data.shape[axis - 2],
                    self.maps.extent[axis],
                    self.maps.align_corners,
                    length=self.input_size[axis],
                    size=self.size[axis],
                )
                for axis in (0, 1)
            )
            return winning_labels_at(self.maps.data[0], ys, xs).cpu().numpy()
        height, width = self.size
        rows = max(1, MAX_BLOCK // (8 * width))
        parts = []
        for top in range(0, height, rows):
            ys, xs = np.mgrid[top : min(top + rows, height), :width]
            pixels = np.stack([xs, ys], -1).reshape(-1, 2)
            parts.append(self.at(pixels).reshape(xs.shape))
        return np.concatenate(parts)


Labeller = Callable[[str], ImageLabels]
"""Path of an image -> its labels."""


class NetworkLabeller:
    """Labels of a network, or of the teacher in it.

    Args:
        model: FGSN in eval mode, its config in ``cfg``, whose test pipeline
            prepares the images.
        who: ``'student'``, or ``'teacher'`` for the labels that are taught:
            those of the clustering, before any training on them.

    Raises:
        ValueError: ``who`` is neither, or there was no clustering yet.
    """

    def __init__(self, model: Any, who: str = 'student') -> None:
        if who not in ('student', 'teacher'):
            raise ValueError(
                f"`who` should be 'student' or 'teacher', but got {who!r}. "
                'The teacher has the labels as they were clustered.'
            )
        if who == 'teacher' and not model.has_labels:
            raise ValueError(
                '`model` should have a teacher, but got one that was never '
                'clustered. Load a checkpoint of its training.'
            )
        self.model = model
        self.who = who
        self.pipeline = Compose(image_pipeline(model.cfg))

    @torch.no_grad()
    def __call__(self, path: str) -> ImageLabels:
        """Run the network on an image."""
        sample = self.pipeline(dict(img_path=path))
        batch = pseudo_collate([sample])
        images = self.model.data_preprocessor(batch, False)['inputs']
        if self.who == 'student':
            assign = None
            maps = self.model.logit_map(images)
        else:
            assign = self.model.codebook.assign
            maps = self.model.teacher_features(images)
        meta = sample['data_samples'].metainfo
        return ImageLabels(maps, meta['ori_shape'], meta['img_shape'], assign)


@dataclass
class PairLabels:
    """Labels of one pair at its correspondences."""

    img_path: str
    img_path2: str
    points: np.ndarray
    """(N, 2) x, y in pixels of the reference's file."""
    points2: np.ndarray
    """(N, 2) the same in the target."""
    labels: np.ndarray
    """(N,) in 0..K-1."""
    labels2: np.ndarray
    """(N,) in 0..K-1."""
    size: tuple[int, int]
    """(H, W) of the reference's file."""
    size2: tuple[int, int]
    """(H, W) of the target's file."""


def pair_figures(
    pairs: Sequence[PairLabels], num_clusters: int
) -> dict[str, float]:
    """All figures of some pairs together.

    Args:
        pairs: Any number.
        num_clusters: K.

    Returns:
        Those of :func:`agreement_figures` over all correspondences, and of
        :func:`hard_figures`.
    """
    empty = np.zeros(0, np.int64)
    labels, labels2 = (
        np.concatenate([empty, *(getattr(pair, name) for pair in pairs)])
        for name in ('labels', 'labels2')
    )
    return {
        **agreement_figures(labels, labels2, num_clusters),
        **hard_figures(
            hard_matches(
                pair.labels,
                pair.labels2,
                pair.points,
                pair.points2,
                pair.size,
                pair.size2,
            )
            for pair in pairs
        ),
    }


def label_pairs(
    labeller: Labeller,
    pairs: Sequence[dict[str, Any]],
    on_image: Callable[[str, ImageLabels], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[PairLabels]:
    """Label both ends of all correspondences; each image is looked at once.

    Args:
        labeller: Who gives the labels.
        pairs: ``img_path``, ``img_path2``, ``points`` and ``points2`` of
            each, in pixels of the files, see :func:`read_pairs`.
        on_image: Called with each image's path and labels, which are freed
            afterwards.
        progress: Called with the number of images done and of all.

    Returns:
        The labels of each pair.
    """
    ends: dict[str, list[tuple[int, str]]] = {}
    for index, pair in enumerate(pairs):
        for side in ('', '2'):
            ends.setdefault(pair[f'img_path{side}'], []).append((index, side))
    found: list[dict[str, Any]] = [{} for _ in pairs]
    for done, (path, here) in enumerate(ends.items(), 1):
        image = labeller(path)
        for index, side in here:
            points = pairs[index][f'points{side}']
            found[index][f'labels{side}'] = image.at(points)
            found[index][f'size{side}'] = image.size
        if on_image is not None:
            on_image(path, image)
        del image  # before the next one is made
        if progress is not None:
            progress(done, len(ends))
    return [
        PairLabels(
            pair['img_path'],
            pair['img_path2'],
            pair['points'],
            pair['points2'],
            own['labels'],
            own['labels2'],
            own['size'],
            own['size2'],
        )
        for pair, own in zip(pairs, found)
    ]


def build_pairs(config: Config, split: str = 'val') -> Any:
    """Build the data set of pairs that a config trains or validates on.

    Args:
        config: Of a training.
        split: 'train', 'val' or 'test': which of its loaders.

    Raises:
        ValueError: The loader reads no pairs.
    """
    loader = config.get(f'{split}_dataloader')
    dataset: Any = DATASETS.build(loader.dataset) if loader else []
    if not len(dataset) or 'corr_path' not in dataset.get_data_info(0):
        raise ValueError(
            f'`{split}_dataloader` should read pairs with correspondences, '
            f'but got {loader and loader.dataset.get("type")!r}. Use the '
            'config of a training.'
        )
    return dataset


def read_pairs(dataset: Any, step: int = 1) -> list[dict[str, Any]]:
    """Paths and correspondences, in pixels of the files, of each pair.

    Args:
        dataset: Of pairs; its pipeline is not run.
        step: Distance between the pairs. Defaults to 1, all of them.
    """
    load = LoadCorrespondences()
    indices = range(0, len(dataset), step)
    return [load(dataset.get_data_info(index)) for index in indices]
