"""The parts of a clustering, and the assignment beside faiss's."""

from __future__ import annotations

import logging
from tempfile import TemporaryDirectory
from typing import Any

import faiss
import torch
import torch.nn.functional as F
from mmengine.runner import Runner

from fgsn_mmseg.clustering import Codebook, codebook
from fgsn_mmseg.engine import ClusteringHook, clustering_hook

from . import networks
from .pictures import pair_set
from .stopwatch import Stopwatch, interleaved
from .table import Table

PARTS = ('network', 'data', 'sampling', 'PCA', 'k-means', 'rest')
TOTAL = 'clustering'
OURS = 'assign_map: features to labels'
FAISS = 'Codebook.reduce, then faiss IndexFlatL2'


def benchmark_clustering(
    config: str | None = None,
    num_clusters: int = 100,
    short_side: int = 512,
    repeats: int = 2,
    device: str = 'cpu',
    data_root: str | None = None,
    features_per_image: int = 500,
    processor: bool = False,
) -> Table:
    """Seconds of the parts of the hook's clustering, once over the images.

    Args:
        config (str, optional): See :func:`networks.load_config`.
        num_clusters (int): K. Defaults to 100.
        short_side (int): Of the images. Defaults to 512.
        repeats (int): Clusterings; their mean counts. Defaults to 2.
        device (str): 'cpu' or 'cuda'. Defaults to 'cpu'.
        data_root (str, optional): Set of pairs. Defaults to None: made up.
        features_per_image (int): See :class:`ClusteringHook`. Defaults to
            500.
        processor (bool): See :class:`Stopwatch`. Defaults to False.

    Returns:
        Table: Rows for ``TOTAL`` and each of ``PARTS``.
    """
    model_config = networks.model_config(
        networks.load_config(config), num_clusters
    )
    watch = Stopwatch(device, processor)
    with pair_set(data_root) as root, TemporaryDirectory() as folder:
        hook = ClusteringHook(
            _reference_loader(root, folder, short_side),
            features_per_image=features_per_image,
            keep_momentum=True,
        )
        runner = Runner(
            networks.build_fgsn(model_config, device),
            work_dir=folder,
            default_scope='mmseg',
            log_level=logging.ERROR,
            experiment_name='benchmark',
        )
        hook.before_train(runner)
        hook.cluster(runner, runner.model)  # warm-up
        with watch.watching(
            (runner.model, 'over_windows', 'network'),
            (hook, 'sample_features', 'data'),
            (clustering_hook, 'to_cells', 'sampling'),
            (clustering_hook, 'sample_cells', 'sampling'),
            (codebook, 'pca_whitening', 'PCA'),
            (codebook, 'kmeans', 'k-means'),
            (codebook, 'nearest_centroids', 'k-means'),
        ):
            for _ in range(repeats):
                with watch.part('rest'):
                    hook.cluster(runner, runner.model)
    seconds = {name: watch.seconds[name] / repeats for name in PARTS}
    total = sum(seconds.values())
    table = Table(
        f'Clustering: {config or "a tiny network"}, K = {num_clusters}, '
        f'short side {short_side}',
        ['what', 'seconds', 'share (%)'],
        [[TOTAL, total, 100.0]],
    )
    for name in PARTS:
        table.rows.append([name, seconds[name], 100 * seconds[name] / total])
    return table


def benchmark_assignment(
    num_clusters: int = 1000,
    map_size: tuple[int, int] = (90, 90),
    channels: int = 512,
    repeats: int = 60,
    device: str = 'cpu',
    processor: bool = False,
) -> Table:
    """Seconds of labelling one map, by the codebook and with faiss.

    Args:
        num_clusters (int): K. Defaults to 1000.
        map_size (tuple[int]): (h, w). Defaults to (90, 90).
        channels (int): C. Defaults to 512.
        repeats (int): Turns. Defaults to 60.
        device (str): Of the codebook; faiss stays on the CPU. Defaults to
            'cpu'.
        processor (bool): See :class:`Stopwatch`. Defaults to False.

    Returns:
        Table: Rows for ``OURS`` and ``FAISS``.
    """
    generator = torch.Generator().manual_seed(0)
    dim = min(256, channels)
    book = Codebook(num_clusters, channels, dim)
    for buffer in book.buffers():
        buffer.copy_(torch.randn(buffer.shape, generator=generator))
    book.centroids.copy_(F.normalize(book.centroids))
    features = torch.randn(1, channels, *map_size, generator=generator)
    index = faiss.IndexFlatL2(dim)
    index.add(book.centroids.numpy())
    book, features = book.to(device), features.to(device)

    def by_faiss() -> Any:
        rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
        return index.search(book.reduce(rows).cpu().numpy(), 1)[1]

    def by_codebook() -> Any:
        return book.assign_map(features)

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(torch.get_num_threads())
    try:
        with torch.inference_mode():
            seconds = interleaved(
                {OURS: by_codebook, FAISS: by_faiss},
                repeats,
                Stopwatch(device, processor),
            )
            same = by_codebook().flatten().cpu().numpy() == by_faiss()[:, 0]
    finally:
        faiss.omp_set_num_threads(threads)
    table = Table(
        f'Assignment: a map of {map_size[0]} x {map_size[1]} cells, '
        f'{channels} channels, {num_clusters} centroids of {dim}',
        ['way', 'seconds', 'times faiss'],
    )
    for name, value in seconds.items():
        table.rows.append([name, value, value / seconds[FAISS]])
    table.notes.append(f'Equal labels: {100 * same.mean():.2f} %.')
    return table


def _reference_loader(
    root: str, cache_dir: str, short_side: int
) -> dict[str, Any]:
    """Config of the loader of reference images."""
    return dict(
        num_workers=1,
        dataset=dict(
            type='ReferenceImageDataset',
            data_root=root,
            cache_dir=cache_dir,
            pipeline=[
                dict(type='LoadImagePair'),
                dict(type='ResizePair', short_side=short_side),
                dict(type='PackPairInputs'),
            ],
        ),
    )
