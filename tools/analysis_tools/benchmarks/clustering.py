"""The parts of a clustering, and the assignment beside faiss's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import faiss
import torch
import torch.nn.functional as F
from mmengine.runner import Runner
from prettytable import PrettyTable

from fgsn_mmseg.clustering import (
    Codebook,
    codebook,
    fit_linear_classifier,
)
from fgsn_mmseg.engine import ClusteringHook, feature_sampling

from . import networks
from .loader import pair_set
from .measuring import Stopwatch, new_table, take_turns

PARTS = ('network', 'data', 'sampling', 'PCA', 'k-means', 'rest')
TOTAL = 'clustering'
OURS = 'assign_map: features to labels'
FAISS = 'Codebook.reduce, then faiss IndexFlatL2'
PAPER = 'PCA and k-means'
OPTIONS = ('learned whitening', 'and fitted classifiers', 'and pair means')


def benchmark_clustering(
    config: str | None = None,
    num_clusters: int = 100,
    short_side: int = 512,
    seconds: float = 20,
    device: str = 'cpu',
    data_root: str | None = None,
    features_per_image: int = 500,
    clock: Callable[[], float] | None = None,
) -> PrettyTable:
    """Seconds of the parts of the hook's clustering, once over the images.

    Args:
        config: See :func:`networks.load_config`.
        num_clusters: K.
        short_side: Of the images.
        seconds: Clusterings follow each other for so long; means count.
        device: 'cpu' or 'cuda'.
        data_root: Set of pairs. None: made up.
        features_per_image: See :class:`ClusteringHook`.
        clock: See :func:`take_turns`.

    Returns:
        Rows for ``TOTAL`` and each of ``PARTS``.
    """
    model_config = networks.model_config(
        networks.load_config(config), num_clusters
    )
    watch = Stopwatch(device, clock)
    with pair_set(data_root) as root, TemporaryDirectory() as folder:
        hook = ClusteringHook(
            _reference_loader(root, folder, short_side),
            features_per_image=features_per_image,
            keep_momentum=True,
        )
        runner = Runner(
            networks.build(model_config, device),
            work_dir=folder,
            default_scope='mmseg',
            log_level=logging.ERROR,
            experiment_name='benchmark',
        )
        hook.before_train(runner)
        hook.cluster(runner, runner.model)  # warm-up
        turns, start = 0, time.monotonic()
        with watch.watching(
            (runner.model, 'over_windows', 'network'),
            (hook, 'gather_features', 'data'),
            (feature_sampling, 'to_cells', 'sampling'),
            (feature_sampling, 'sample_cells', 'sampling'),
            (codebook, 'pca_whitening', 'PCA'),
            (codebook, 'kmeans', 'k-means'),
            (codebook, 'nearest_centroids', 'k-means'),
        ):
            while not turns or time.monotonic() - start < seconds:
                turns += 1
                with watch.part('rest'):
                    hook.cluster(runner, runner.model)
    found = {name: watch.seconds[name] / turns for name in PARTS}
    total = sum(found.values())
    table = new_table(
        f'Clustering: {config or "a tiny network"}, K = {num_clusters}, '
        f'short side {short_side}',
        *('what', 'seconds', 'share (%)'),
    )
    for name, value in {TOTAL: total, **found}.items():
        table.add_row([name, value, 100 * value / total])
    return table


def benchmark_assignment(
    num_clusters: int = 1000,
    map_size: tuple[int, int] = (90, 90),
    channels: int = 512,
    seconds: float = 5,
    device: str = 'cpu',
    clock: Callable[[], float] | None = None,
) -> PrettyTable:
    """Seconds of labelling one map, by the codebook and with faiss.

    Args:
        num_clusters: K.
        map_size: (h, w).
        channels: C.
        seconds: See :func:`take_turns`.
        device: Of the codebook; faiss stays on the CPU.
        clock: See :func:`take_turns`.

    Returns:
        Rows for ``OURS`` and ``FAISS``.
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
        return index.search(book.reduce(rows).cpu().numpy(), 1)[1][:, 0]

    def by_codebook() -> Any:
        return book.assign_map(features)

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(torch.get_num_threads())
    try:
        with torch.inference_mode():
            found = take_turns(
                {OURS: by_codebook, FAISS: by_faiss}, seconds, clock
            )
            same = by_codebook().flatten().cpu().numpy() == by_faiss()
    finally:
        faiss.omp_set_num_threads(threads)
    table = new_table(
        f'Assignment: a map of {map_size[0]} x {map_size[1]} cells, '
        f'{channels} channels, {num_clusters} centroids of {dim}',
        *('way', 'seconds', 'times faiss', 'equal labels (%)'),
    )
    for name, value in found.items():
        share = 100 * float(same.mean())
        table.add_row([name, value, value / found[FAISS], share])
    return table


def benchmark_label_options(
    num_clusters: int = 100,
    num_features: int = 100_000,
    channels: int = 512,
    seconds: float = 20,
    clock: Callable[[], float] | None = None,
) -> PrettyTable:
    """Seconds of a clustering with more and more options, without a network.

    As the hook's, of 500 features an image and 250 correspondences a pair
    of at most 400; classifiers of a main and of an auxiliary head of half
    the channels are fitted. The ways take turns.

    Args:
        num_clusters: K.
        num_features: M.
        channels: C.
        seconds: Turns follow each other for so long.
        clock: See :func:`take_turns`.

    Returns:
        Rows for ``PAPER`` and, on top of each other, ``OPTIONS``.
    """
    generator = torch.Generator().manual_seed(0)

    def draw(count: int) -> Any:
        rows = torch.randn(count, channels, generator=generator)
        ids = torch.randint(num_clusters, (count,), generator=generator)
        return rows.add_(centres[ids])

    centres = torch.randn(num_clusters, channels, generator=generator)
    features = draw(num_features)
    first = draw(min(num_features // 2, 100_000))
    noise = torch.randn(first.shape, generator=generator)
    pairs = first, first + noise / 2
    inputs = features[:100_000].relu()
    book = Codebook(num_clusters, channels, min(256, channels))

    def cluster(options: int) -> None:
        book.fit(
            features,
            pairs=pairs if options else None,
            pair_means=options > 2,
        )

    def fit() -> None:
        for width in (channels, channels // 2):
            fit_linear_classifier(inputs[:, :width], labels, num_clusters)

    ways = dict(enumerate((PAPER, *OPTIONS)))
    watch = Stopwatch(clock=clock)
    labels = torch.arange(len(inputs)) % num_clusters
    fit_linear_classifier(inputs[:600], labels[:600], num_clusters)  # warm-up
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(torch.get_num_threads())
    turns, start = 0, time.monotonic()
    try:
        while not turns or time.monotonic() - start < seconds:
            turns += 1
            for options, name in ways.items():
                with watch.part(name):
                    cluster(options)
                if options > 1:
                    labels = book.assign(features[: len(inputs)])
                    with watch.part(name):
                        fit()
    finally:
        faiss.omp_set_num_threads(threads)
    table = new_table(
        f'Options: {num_features} features of {channels} channels, '
        f'{len(first)} pairs, K = {num_clusters}',
        *('what', 'seconds', 'times the paper'),
    )
    for name in ways.values():
        value = watch.seconds[name]
        table.add_row([name, value / turns, value / watch.seconds[PAPER]])
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
