"""Features that a codebook can be fitted to."""

from __future__ import annotations

import numpy as np
import torch

from fgsn_mmseg.clustering import Codebook

BUFFERS = ('pca_matrix', 'pca_bias', 'centroids')


def features(count=400, channels=12, seed=0):
    """Correlated channels of different sizes and means."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(channels, channels)) * rng.uniform(
        0.1, 5, channels
    )
    rows = rng.normal(size=(count, channels)) @ mixing + rng.normal(
        0, 10, channels
    )
    return torch.from_numpy(rows.astype(np.float32))


def fitted(num_clusters=7, pca_dim=5, **kwargs):
    rows = features(**kwargs)
    codebook = Codebook(num_clusters, rows.shape[1], pca_dim)
    return codebook, rows, codebook.fit(rows)
