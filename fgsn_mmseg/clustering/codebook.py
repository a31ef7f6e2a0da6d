from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kmeans import kmeans, nearest_centroids
from .learned_whitening import learned_whitening
from .pca import pca_whitening
from .relabelling import label_means

# Upper limit of the (rows, K) distance block: 8 MB of float32.
MAX_BLOCK = 1 << 21


class Codebook(nn.Module):
    """Whitening and k-means centroids: a feature in, a label out.

    A feature f becomes ``normalize(f @ pca_matrix + pca_bias)``; its label is
    the nearest centroid in squared L2 (paper, section 3). The three buffers
    are part of the state dict, so a checkpoint holds the labels' meaning; they
    keep the names of the paper's PCA whatever whitening was fitted.

    Args:
        num_clusters: K.
        in_channels: C, channels of the features.
        pca_dim: D <= C, dimensions kept. Defaults to 256.
    """

    pca_matrix: Tensor
    pca_bias: Tensor
    centroids: Tensor

    def __init__(
        self, num_clusters: int, in_channels: int, pca_dim: int = 256
    ) -> None:
        super().__init__()
        if num_clusters < 1:
            raise ValueError(
                f'`num_clusters` should be positive, but got {num_clusters}.'
            )
        if not 1 <= pca_dim <= in_channels:
            raise ValueError(
                f'`pca_dim` should be in 1..in_channels={in_channels}, but '
                f'got {pca_dim}.'
            )
        self.num_clusters = num_clusters
        self.in_channels = in_channels
        self.pca_dim = pca_dim
        self.register_buffer('pca_matrix', torch.zeros(in_channels, pca_dim))
        self.register_buffer('pca_bias', torch.zeros(pca_dim))
        self.register_buffer('centroids', torch.zeros(num_clusters, pca_dim))

    @torch.no_grad()
    def fit(
        self,
        features: Tensor | np.ndarray,
        seed: int = 0,
        iterations: int = 20,
        pairs: tuple[Tensor, Tensor] | None = None,
        regularization: float = 0.02,
        pair_means: bool = False,
        old_labels: Tensor | np.ndarray | None = None,
    ) -> dict[str, float]:
        """Fit whitening and centroids to features, in place.

        Args:
            features: (M, C), M >= K.
            seed: Same seed and features give the same codebook.
            iterations: k-means iterations.
            pairs: (N, C) and (N, C) corresponding features of two
                conditions. With them whitening is learned, see
                :func:`learned_whitening`; by default it is that of PCA.
            regularization: Of learned whitening.
            pair_means: Let k-means cluster the means of the reduced pairs
                beside the features: what lies between two conditions.
            old_labels: (M,) labels that the features had before, negative
                where there was none: k-means starts from the means of these
                and not from features drawn at random.

        Returns:
            Figures of the clustering, see :func:`clustering_figures`.

        Raises:
            ValueError: If there are fewer than K features, or they have
                another number of channels or values that are not finite.
        """
        features = self._checked(features)
        if old_labels is not None and len(old_labels) != len(features):
            raise ValueError(
                f'`old_labels` should be of shape ({len(features)},), but '
                f'got {len(old_labels)} labels. Give one for each feature.'
            )
        if pairs is None:
            matrix, bias = pca_whitening(features, self.pca_dim)
        else:
            first, second = (_to_rows(side) for side in pairs)
            matrix, bias = learned_whitening(
                features, (first, second), self.pca_dim, regularization
            )
        self.pca_matrix.copy_(matrix)
        self.pca_bias.copy_(bias)
        reduced = clustered = self.reduce(features).numpy()
        if pairs is not None and pair_means:
            means = F.normalize(self.reduce(first) + self.reduce(second))
            clustered = np.concatenate([reduced, means.numpy()])
        start = None
        if old_labels is not None:
            start = label_means(reduced, old_labels, self.num_clusters, seed)
        centroids = kmeans(
            clustered, self.num_clusters, iterations, seed, start
        )
        self.centroids.copy_(torch.from_numpy(centroids))
        distances, labels = nearest_centroids(reduced, centroids)
        return clustering_figures(distances, labels, self.num_clusters)

    def _checked(self, features: Tensor | np.ndarray) -> Tensor:
        """Features that can be clustered, or ValueError."""
        rows = _to_rows(features)
        if rows.ndim != 2 or rows.shape[1] != self.in_channels:
            raise ValueError(
                f'`features` should be of shape (M, {self.in_channels}), but '
                f'got {tuple(rows.shape)}.'
            )
        if len(rows) < self.num_clusters:
            raise ValueError(
                'Clustering needs at least num_clusters='
                f'{self.num_clusters} features, but only {len(rows)} '
                'were given. Give more features or choose fewer clusters.'
            )
        if not rows.isfinite().all():
            raise ValueError(
                '`features` should be finite, but got NaN or infinite '
                'values. The network diverged: lower the learning rate.'
            )
        return rows

    @torch.no_grad()
    def copy_(self, other: Codebook) -> None:
        """Take over the labels of another codebook, and its D.

        Raises:
            ValueError: It has another K or C.
        """
        for name in ('num_clusters', 'in_channels'):
            given, own = getattr(other, name), getattr(self, name)
            if given != own:
                raise ValueError(
                    f'`{name}` of the codebook should be {own}, but got '
                    f'{given}.'
                )
        self.resize_(other.pca_dim)
        for own, given in zip(self.buffers(), other.buffers()):
            own.copy_(given)

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Take the D of what is loaded; refuse another C."""
        matrix = state_dict.get(f'{prefix}pca_matrix')
        if matrix is not None:
            channels, pca_dim = matrix.shape
            if channels != self.in_channels:
                raise ValueError(
                    f'`feature_layer` should give {channels} channels as in '
                    f'the checkpoint, but got {self.in_channels}. Use the '
                    'config of its training.'
                )
            self.resize_(pca_dim)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def resize_(self, pca_dim: int) -> None:
        """Make room for D dimensions; what it held is lost if D changes."""
        if pca_dim == self.pca_dim:
            return
        self.pca_dim = pca_dim
        self.pca_matrix = self.pca_bias.new_zeros(self.in_channels, pca_dim)
        self.pca_bias = self.pca_bias.new_zeros(pca_dim)
        self.centroids = self.pca_bias.new_zeros(self.num_clusters, pca_dim)

    def renumber(self, ids: np.ndarray) -> None:
        """Let cluster k have the id ids[k], (K,) a permutation of 0..K-1."""
        order = torch.as_tensor(ids, device=self.centroids.device).argsort()
        self.centroids.copy_(self.centroids[order])

    def reduce(self, features: Tensor) -> Tensor:
        """Whiten and normalise: (..., C) -> (..., D) of unit length."""
        return F.normalize(
            features.float() @ self.pca_matrix + self.pca_bias, dim=-1
        )

    @torch.no_grad()
    def assign(self, features: Tensor) -> Tensor:
        """Label of each feature: (M, C) -> (M,) int64 in 0..K-1."""
        with torch.autocast(features.device.type, enabled=False):
            # |y - c|^2 = |y|^2 - 2 y.c + |c|^2, and |y| is the same for all c
            offset = self.centroids.square().sum(1)
            transposed = -2 * self.centroids.T
            rows = max(1, MAX_BLOCK // self.num_clusters)
            block = offset.new_empty(
                min(rows, len(features)), self.num_clusters
            )
            labels = [
                _argmin(
                    torch.addmm(
                        offset,
                        self.reduce(part),
                        transposed,
                        out=block[: len(part)],
                    )
                )
                for part in features.split(rows)
            ]
            return torch.cat(labels)

    def scores(self, features: Tensor) -> Tensor:
        """How near each centroid is: (M, C) -> (M, K) float32.

        Half the squared distance, negative and less a constant of the row;
        the largest is that of the label. Gradients reach the features.
        """
        with torch.autocast(features.device.type, enabled=False):
            offset = -self.centroids.square().sum(1) / 2
            return torch.addmm(offset, self.reduce(features), self.centroids.T)

    def assign_map(self, features: Tensor) -> Tensor:
        """Label of each cell: (B, C, h, w) -> (B, h, w) int64."""
        rows = features.movedim(1, -1)
        return self.assign(rows.flatten(0, 2)).view(rows.shape[:-1])


def _to_rows(features: Tensor | np.ndarray) -> Tensor:
    return torch.as_tensor(features, dtype=torch.float32).cpu()


def _argmin(scores: Tensor) -> Tensor:
    """Column of the smallest value of each row (M, K): (M,) int64."""
    if scores.device.type == 'cpu':
        # Several times as fast as torch's.
        return torch.from_numpy(scores.numpy().argmin(1))
    return scores.argmin(1)


def clustering_figures(
    distances: np.ndarray, labels: np.ndarray, num_clusters: int
) -> dict[str, float]:
    """What a person wants to know of a clustering.

    Args:
        distances: (M,) squared distances to the nearest centroid.
        labels: (M,) ids in 0..K-1.
        num_clusters: K.

    Returns:
        ``inertia`` (mean squared distance), ``used_clusters``,
        ``largest_share`` (of the features, in 0..1) and ``entropy`` of the
        shares (bits, at most log2(K)).
    """
    shares = np.bincount(labels, minlength=num_clusters) / len(labels)
    used = shares[shares > 0]
    return dict(
        inertia=float(distances.mean()),
        used_clusters=len(used),
        largest_share=float(shares.max()),
        entropy=abs(math.fsum(-used * np.log2(used))),
    )
