"""What clusters look like: example patches of many clusters on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .drawing import caption_bar

DIM = 0.35  # brightness of what does not belong to the cluster
GAP = 4
BACKGROUND = 24
BAR = 20  # height of a caption, in pixels


class PatchCollector:
    """Keeps a fair choice of example patches of each cluster.

    Of all images in which a cluster is seen, every one has the same chance
    to give one of the patches (reservoir sampling), and within an image
    every pixel of the cluster to be a patch's centre.

    Args:
        num_clusters (int): K.
        number (int): Patches of a cluster at most. Defaults to 8.
        size (int): Side of a patch in pixels of the image. Defaults to 64.
        seed (int): Same seed, same choice. Defaults to 0.
    """

    def __init__(
        self, num_clusters: int, number: int = 8, size: int = 64, seed: int = 0
    ) -> None:
        self.number = number
        self.size = size
        self.patches: list[list[np.ndarray]] = [
            [] for _ in range(num_clusters)
        ]
        self._seen = np.zeros(num_clusters, np.int64)
        self._rng = np.random.default_rng(seed)

    def add(self, image: np.ndarray, label_map: np.ndarray) -> None:
        """Look at one image.

        Args:
            image: (H, W, 3) uint8 RGB.
            label_map: (H, W) cluster ids; those outside [0, K) are left out.
        """
        labels = label_map.ravel()
        order = np.argsort(labels, kind='stable')
        ids, starts, counts = np.unique(
            labels[order], return_index=True, return_counts=True
        )
        for cluster, start, count in zip(ids, starts, counts):
            if not 0 <= cluster < len(self.patches):
                continue
            self._seen[cluster] += 1
            place = int(self._rng.integers(self._seen[cluster]))
            pixel = order[start + int(self._rng.integers(count))]
            kept = self.patches[cluster]
            if len(kept) < self.number:
                kept.append(self._cut(image, label_map, pixel))
            elif place < self.number:
                kept[place] = self._cut(image, label_map, pixel)

    def _cut(
        self, image: np.ndarray, label_map: np.ndarray, pixel: int
    ) -> np.ndarray:
        """Patch around a pixel, what is not of its cluster darkened."""
        height, width = label_map.shape
        y, x = divmod(int(pixel), width)
        patch = np.full((self.size, self.size, 3), BACKGROUND, np.uint8)
        half = self.size // 2
        top, left = y - half, x - half
        rows = slice(max(top, 0), min(top + self.size, height))
        columns = slice(max(left, 0), min(left + self.size, width))
        part = image[rows, columns]
        other = label_map[rows, columns] != label_map[y, x]
        part = np.where(other[..., None], part * DIM, part).astype(np.uint8)
        patch[
            rows.start - top : rows.stop - top,
            columns.start - left : columns.stop - left,
        ] = part
        return patch


def draw_patch_sheet(
    patches: Sequence[Sequence[np.ndarray]],
    captions: dict[int, str],
    frames: dict[int, tuple[int, int, int]],
    number: int = 8,
    columns: int = 2,
) -> np.ndarray:
    """Draw one row of patches for each cluster.

    Args:
        patches: For each cluster its patches, (S, S, 3) uint8 RGB.
        captions: Cluster -> text over its row, ASCII. Its order is that of
            the rows, downwards and then to the right.
        frames: Cluster -> RGB of the stripe left of its row.
        number: Patches of a row at most. Defaults to 8.
        columns: Rows of patches beside each other. Defaults to 2.

    Returns:
        (H', W', 3) uint8 RGB.
    """
    size = next((p.shape[0] for row in patches for p in row), 64)
    blocks = [
        _draw_row(patches[cluster], text, frames[cluster], number, size)
        for cluster, text in captions.items()
    ]
    if not blocks:
        return np.full((BAR, BAR, 3), BACKGROUND, np.uint8)
    height = -(-len(blocks) // columns)
    blank = np.full_like(blocks[0], BACKGROUND)
    blocks += [blank] * (height * columns - len(blocks))
    return np.hstack(
        [
            np.vstack(blocks[i * height : (i + 1) * height])
            for i in range(columns)
        ]
    )


def _draw_row(
    patches: Sequence[np.ndarray],
    text: str,
    colour: tuple[int, int, int],
    number: int,
    size: int,
) -> np.ndarray:
    """Caption and patches of one cluster, with a stripe to the left."""
    step = size + GAP
    row = np.full((step, number * step, 3), BACKGROUND, np.uint8)
    for i, patch in enumerate(patches[:number]):
        row[:size, i * step : i * step + size] = patch
    row = np.vstack([caption_bar([text], row.shape[1], BAR), row])
    stripe = np.full((len(row), 2 * GAP, 3), BACKGROUND, np.uint8)
    stripe[: BAR + size, :GAP] = colour
    return np.hstack([stripe, row])
