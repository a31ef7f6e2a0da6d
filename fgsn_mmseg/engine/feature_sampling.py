from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.logging import print_log
from torch import Tensor, nn

from ..clustering import Codebook, FeatureReservoir, sample_cells
from ..geometry import to_cells
from ..inference import BlendedMap
from .seeding import derive_seed

SECONDS_BETWEEN_LINES = 10


class ClusterableModel(Protocol):
    """What :class:`~fgsn_mmseg.engine.ClusteringHook` asks of a model.

    :class:`~fgsn_mmseg.models.FGSN` is one; so is any mmengine model of a
    user's own with these members.
    """

    num_clusters: int
    """K."""
    pca_dim: int
    """D, dimensions of the codebook."""
    grid: str
    """How cells of a map cover an image: ``'corners'`` or ``'centers'``."""
    has_labels: bool
    """Whether a codebook was set, in this run or by a checkpoint."""
    data_preprocessor: Any
    """As in mmengine's ``BaseModel``."""

    def clustering_features(self, images: Tensor) -> BlendedMap:
        """Features of whole images (B, 3, H, W), in eval mode."""

    def set_codebook(self, codebook: Codebook) -> None:
        """Make these labels those of the coming iterations."""

    def redraw_classifiers(
        self, generator: torch.Generator, std: float
    ) -> list[nn.Parameter]:
        """Draw what classifies clusters anew; return these parameters."""


MEMBERS = sorted(
    name
    for name in {*ClusterableModel.__annotations__, *vars(ClusterableModel)}
    if not name.startswith('_')
)


def check_clusterable(model: Any) -> None:
    """Raise TypeError if a model lacks a member of the protocol."""
    missing = [name for name in MEMBERS if not hasattr(model, name)]
    if missing:
        raise TypeError(
            f'The model of ClusteringHook should have {", ".join(MEMBERS)}, '
            f'but got {type(model).__name__} without {", ".join(missing)}. '
            "Set `model = dict(type='FGSN', num_clusters=...)`, or see "
            'ClusterableModel.'
        )


@torch.no_grad()
def sample_features(
    model: Any,
    loader: Any,
    reservoir: FeatureReservoir,
    features_per_image: int,
    fraction: float,
    seeds: tuple[int, int],
) -> None:
    """Offer features of this rank's images to a reservoir.

    Args:
        model: A :class:`ClusterableModel` in eval mode.
        loader: Of a :class:`~fgsn_mmseg.datasets.ReferenceImageDataset`,
            images in their order, every n-th one on each of n ranks.
        reservoir: Where they go.
        features_per_image: See
            :func:`~fgsn_mmseg.clustering.sample_cells`.
        fraction: See there.
        seeds: The run's and the iteration; with the number of an image the
            source of its draws.
    """
    generator = torch.Generator()
    index, last = get_rank(), time.time()
    for batch in parts_of_one_size(loader):
        data = model.data_preprocessor(batch, False)
        maps = model.clustering_features(data['inputs'])
        for one, sample in zip(maps.data, data['data_samples']):
            seed = derive_seed('features', *seeds, index)
            generator.manual_seed(seed)
            rows = features_of(
                maps, one, sample, model.grid, generator, features_per_image,
                fraction,
            )  # fmt: skip
            reservoir.add(index, rows, derive_seed('keys', seed))
            index += loader.sampler.world_size
        if time.time() - last > SECONDS_BETWEEN_LINES:
            last = time.time()
            done = index // loader.sampler.world_size
            print_log(
                f'Clustering: {done} of {len(loader.sampler)} images',
                logger='current',
            )


def features_of(
    maps: BlendedMap,
    one: Tensor,
    sample: Any,
    grid: str,
    generator: torch.Generator,
    features_per_image: int,
    fraction: float,
) -> np.ndarray:
    """Features (S, C) float32 at chosen cells of one image.

    Args:
        maps: What ``one`` is one of.
        one: (C, h, w).
        sample: With ``points`` and ``img_shape``, the size of the image
            without padding.
        grid: How cells cover the image.
        generator: Source of the draws.
        features_per_image: Upper limit.
        fraction: Share of those at random cells.
    """
    rows, columns = maps.cells_inside(tuple(sample.img_shape[:2]))
    cells, _ = to_cells(sample.points, maps.extent, one.shape[-2:], grid)
    limits = cells.new_tensor([columns, rows])
    valid = ((cells >= 0) & (cells < limits)).all(1)
    chosen = sample_cells(
        cells[valid], (rows, columns), features_per_image, fraction, generator
    )
    flat = one[:, :rows, :columns].flatten(1)
    return flat[:, chosen.to(one.device)].T.float().cpu().numpy()


def parts_of_one_size(loader: Any) -> Iterator[dict]:
    """Batches of a loader; one of several sizes comes image by image."""
    for batch in loader:
        images = batch['inputs']
        if len({image.shape for image in images}) == 1:
            yield batch
            continue
        for image, sample in zip(images, batch['data_samples']):
            yield {**batch, 'inputs': [image], 'data_samples': [sample]}
