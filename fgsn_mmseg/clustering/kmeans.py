from __future__ import annotations

import faiss
import numpy as np

# faiss subsamples beyond this many points per centroid; the paper uses all.
MAX_POINTS_PER_CENTROID = 10_000_000
MAX_REPAIRS = 20


def kmeans(
    features: np.ndarray,
    num_clusters: int,
    iterations: int = 20,
    seed: int = 0,
    init: np.ndarray | None = None,
) -> np.ndarray:
    """k-means with squared L2 distance; no cluster is left empty.

    Paper: section 3, "creating labels" (20 iterations, all points used).

    Args:
        features: (M, D) float32, M >= ``num_clusters``.
        num_clusters: K.
        iterations: Number of Lloyd iterations.
        seed: Same seed and same features give the same centroids.
        init: (K, D) centroids to start from. Defaults to None: K features
            drawn by the seed.

    Returns:
        (K, D) float32 centroids. Each is the nearest one of at least one
        feature, unless ``features`` has fewer than K distinct rows.

    Raises:
        ValueError: If there are fewer features than clusters, a feature is
            not finite or ``init`` has another shape.
    """
    features = np.ascontiguousarray(features, dtype=np.float32)
    if len(features) < num_clusters:
        raise ValueError(
            f'Clustering needs at least num_clusters={num_clusters} '
            f'features, but only {len(features)} were given. Give more '
            'features or choose fewer clusters.'
        )
    if not np.isfinite(features).all():
        raise ValueError(
            '`features` should be finite, but got NaN or infinite values. '
            'The network diverged: lower the learning rate.'
        )
    if init is not None:
        init = np.ascontiguousarray(init, dtype=np.float32)
        shape = (num_clusters, features.shape[1])
        if init.shape != shape:
            raise ValueError(
                f'`init` should be of shape {shape}, but got {init.shape}.'
            )
    trainer = faiss.Kmeans(
        features.shape[1],
        num_clusters,
        niter=iterations,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=MAX_POINTS_PER_CENTROID,
    )
    trainer.train(features, init_centroids=init)
    return repair_empty(features, np.array(trainer.centroids))


def nearest_centroids(
    features: np.ndarray, centroids: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest centroid of each feature.

    Args:
        features: (M, D) float32.
        centroids: (K, D) float32.

    Returns:
        Squared distances (M,) float32 and ids (M,) int64.
    """
    index = faiss.IndexFlatL2(centroids.shape[1])
    index.add(np.ascontiguousarray(centroids, dtype=np.float32))
    distances, ids = index.search(
        np.ascontiguousarray(features, dtype=np.float32), 1
    )
    return distances[:, 0], ids[:, 0]


def repair_empty(features: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Move each empty cluster's centroid onto the worst-served feature.

    Args:
        features: (M, D) float32.
        centroids: (K, D) float32.

    Returns:
        (K, D) float32 centroids; those of used clusters are unchanged.
    """
    centroids = centroids.copy()
    for _ in range(MAX_REPAIRS):
        distances, ids = nearest_centroids(features, centroids)
        counts = np.bincount(ids, minlength=len(centroids))
        empty = np.flatnonzero(counts == 0)
        if len(empty) == 0:
            break
        # A cluster that gives away its only feature would be the next empty
        # one; one that equals its centroid gains nothing.
        free = np.flatnonzero((counts[ids] > 1) & (distances > 0))
        worst = free[np.argsort(-distances[free], kind='stable')]
        _, first = np.unique(features[worst], axis=0, return_index=True)
        worst = worst[np.sort(first)][: len(empty)]
        if len(worst) == 0:
            break
        centroids[empty[: len(worst)]] = features[worst]
    return centroids
