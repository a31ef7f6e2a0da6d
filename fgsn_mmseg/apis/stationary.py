from __future__ import annotations

import json
import os.path as osp
from dataclasses import dataclass
from typing import Any

import mmengine
import numpy as np

from fgsn_mmseg.datasets.image_file import read_image, write_image
from fgsn_mmseg.evaluation.labelling import (
    NetworkLabeller,
    build_pairs,
    read_pairs,
)
from fgsn_mmseg.evaluation.stationary import (
    count_references,
    stationary_clusters,
)
from fgsn_mmseg.visualization import PatchCollector, draw_patch_sheet

STATIONARY = (60, 200, 90)
OTHER = (220, 70, 60)


@dataclass
class StationaryClusters:
    """Which clusters lie on things that stay, and how that was counted.

    Attributes:
        ids (list): Stationary clusters, sorted.
        at_points (ndarray): (K,) int64 pixels at correspondences.
        elsewhere (ndarray): (K,) int64 all other pixels.
        num_images (int): Images looked at.
        threshold (float): Share of pixels at correspondences above which a
            cluster is stationary.
        patches (PatchCollector): Example patches of every cluster.
    """

    ids: list[int]
    at_points: np.ndarray
    elsewhere: np.ndarray
    num_images: int
    threshold: float
    patches: PatchCollector

    @property
    def share(self) -> np.ndarray:
        """(K,) share of each cluster's pixels at correspondences, or 0."""
        total = np.maximum(self.at_points + self.elsewhere, 1)
        return self.at_points / total


def find_stationary_clusters(
    model: Any,
    step: int = 5,
    threshold: float = 0.01,
    patches: int = 8,
    patch_size: int = 64,
) -> StationaryClusters:
    """Find the clusters that lie on things that stay.

    Method, "which clusters are stationary": over every fifth validation pair
    the label map of the reference image, at the size of the file; the share
    of each cluster's pixels that carry a correspondence.

    Args:
        model: From :func:`~fgsn_mmseg.apis.load_segmentor`, with the config
            of its training.
        step: Distance between the pairs. Defaults to 5.
        threshold: See
            :func:`~fgsn_mmseg.evaluation.stationary_clusters`. Defaults to
            0.01.
        patches: Example patches of a cluster at most. Defaults to 8.
        patch_size: Their side in pixels. Defaults to 64.

    Returns:
        What was found.

    Raises:
        FileNotFoundError: The data set is not there.
        ValueError: The config validates on no pairs.
    """
    for name, value in (
        ('step', step),
        ('patches', patches),
        ('patch_size', patch_size),
    ):
        if value < 1:
            raise ValueError(
                f'`{name}` should be at least 1, but got {value!r}.'
            )
    number = model.out_channels
    collector = PatchCollector(number, patches, patch_size)

    def show(path: str, label_map: np.ndarray) -> None:
        collector.add(read_image(path)[..., ::-1], label_map)

    references = read_pairs(build_pairs(model.cfg), step)
    at_points, elsewhere = count_references(
        NetworkLabeller(model),
        mmengine.track_iter_progress(references),
        number,
        show,
    )
    return StationaryClusters(
        stationary_clusters(at_points, elsewhere, threshold),
        at_points,
        elsewhere,
        num_images=len(references),
        threshold=threshold,
        patches=collector,
    )


def write_stationary_clusters(
    found: StationaryClusters, out_dir: str, max_clusters: int = 100
) -> None:
    """Write ``stationary_clusters.json``, ``.npz`` and ``.png``.

    JSON: ``num_clusters``, ``threshold``, ``num_images``, ``stationary`` (the
    sorted ids) and ``share`` (K numbers). NPZ: ``at_points``, ``elsewhere``
    (K,) int64 and ``stationary`` int64. PNG: example patches, clusters by
    falling share, green stripe for stationary, red for others.

    Args:
        found: What :func:`find_stationary_clusters` gave.
        out_dir: Folder to write to; it is made.
        max_clusters: Clusters in the picture at most; of more, those of the
            highest and of the lowest share are drawn. Defaults to 100.
    """
    mmengine.mkdir_or_exist(out_dir)
    stem = osp.join(out_dir, 'stationary_clusters')
    content: dict[str, Any] = dict(
        num_clusters=len(found.at_points),
        threshold=found.threshold,
        num_images=found.num_images,
        stationary=found.ids,
        share=[round(float(x), 6) for x in found.share],
    )
    with open(f'{stem}.json', 'w', encoding='utf-8') as file:
        json.dump(content, file, indent=1)
    np.savez_compressed(
        f'{stem}.npz',
        at_points=found.at_points,
        elsewhere=found.elsewhere,
        stationary=np.array(found.ids, np.int64),
    )
    sheet = draw_stationary_clusters(found, max_clusters)
    write_image(f'{stem}.png', sheet[..., ::-1])


def draw_stationary_clusters(
    found: StationaryClusters, max_clusters: int = 100
) -> np.ndarray:
    """Draw the example patches; (H', W', 3) uint8 RGB."""
    total = found.at_points + found.elsewhere
    order = np.argsort(-found.share, kind='stable')
    order = order[total[order] > 0]
    if len(order) > max_clusters:
        half = max_clusters // 2
        order = np.concatenate(
            [order[: max_clusters - half], order[len(order) - half :]]
        )
    stationary = set(found.ids)
    pixels = total / max(total.sum(), 1)
    captions, frames = {}, {}
    for cluster in order.tolist():
        stays = cluster in stationary
        captions[cluster] = (
            f'{cluster}: {100 * found.share[cluster]:.2f} % at matches, '
            f'{100 * pixels[cluster]:.2f} % of all pixels'
            + ('' if stays else ', not stationary')
        )
        frames[cluster] = STATIONARY if stays else OTHER
    return draw_patch_sheet(
        found.patches.patches, captions, frames, found.patches.number
    )
