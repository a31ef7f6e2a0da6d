from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class FeatureReservoir:
    """Features of images, at most ``limit`` of them, however many come.

    Every feature gets a random key, and those with the smallest keys stay:
    each feature is as likely to stay as any other. A key follows from the
    seed of its image alone, so what stays does not depend on the order of
    the images or on how many processes share them.

    Args:
        limit: Number of features to keep. None: all.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self._blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._count = 0

    def __len__(self) -> int:
        """Number of features that it holds."""
        return self._count

    def add(self, image: int, features: np.ndarray, seed: int) -> None:
        """Offer the features of an image.

        Args:
            image: Number of the image in the data set.
            features: (S, C) float32.
            seed: The image's own.
        """
        keys = np.random.default_rng(seed).random(len(features))
        place = np.stack(
            [np.full(len(features), image), np.arange(len(features))], 1
        )
        self._append((keys, place, features))

    def merge(self, others: Iterable[FeatureReservoir]) -> None:
        """Take over what reservoirs of other images hold."""
        for other in others:
            for block in other._blocks:
                self._append(block)

    def features(self) -> np.ndarray:
        """(M, C) float32, in the order of the images."""
        self._shrink()
        if not self._blocks:
            return np.zeros((0, 0), np.float32)
        _, place, features = (np.concatenate(x) for x in zip(*self._blocks))
        return features[np.lexsort((place[:, 1], place[:, 0]))]

    def _append(self, block: tuple[np.ndarray, np.ndarray, np.ndarray]):
        self._blocks.append(block)
        self._count += len(block[0])
        # Shrinking copies all: only when half of it is too much.
        if self.limit is not None and self._count > 2 * self.limit:
            self._shrink()

    def _shrink(self) -> None:
        """Drop what is over the limit."""
        if self.limit is None or self._count <= self.limit:
            return
        keys, place, features = (np.concatenate(x) for x in zip(*self._blocks))
        kept = np.argpartition(keys, self.limit - 1)[: self.limit]
        self._blocks = [(keys[kept], place[kept], features[kept])]
        self._count = self.limit
