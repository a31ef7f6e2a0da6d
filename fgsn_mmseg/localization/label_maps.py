"""A folder of label maps, looked up by the names of images."""

from __future__ import annotations

import json
import os
import os.path as osp

import cv2
import numpy as np
import torch

from fgsn_mmseg.datasets import read_label_map
from fgsn_mmseg.geometry import from_colmap, to_cells

from .label_scores import NO_LABEL
from .likelihood import check_label_range

# Ids that 8 bits can hold; with fewer labels, 255 is "no label" there.
_EIGHT_BITS = 256


class LabelMaps:
    """Label maps with the relative paths of their images.

    The map of ``a/012.jpg`` is ``a/012.png`` or ``a/012.jpg.png``: 16 bits,
    65535 = no label; 8 bits are read where K is known and fits.

    Args:
        folder (str | os.PathLike): Of the maps.
        num_clusters (int, optional): K. Larger labels are refused.

    Raises:
        FileNotFoundError: There is no such folder.
    """

    def __init__(
        self, folder: str | os.PathLike, num_clusters: int | None = None
    ) -> None:
        self.folder = os.fspath(folder)
        self.num_clusters = num_clusters
        if not osp.isdir(self.folder):
            raise FileNotFoundError(
                f'`folder` should be a folder of label maps, but got '
                f'{self.folder!r}. tools/label_images.py makes one.'
            )

    def find(self, name: str) -> str | None:
        """Path of the map of an image, None where there is none."""
        for path in (osp.splitext(name)[0] + '.png', f'{name}.png'):
            path = osp.join(self.folder, path)
            if osp.isfile(path):
                return path
        return None

    def read(self, name: str, width: int, height: int) -> np.ndarray | None:
        """Read the map of an image.

        Args:
            name: Of the image, relative to the folder of the images.
            width: Of the image in pixels.
            height: Of the image in pixels.

        Returns:
            (H, W) int64, -1 for pixels without label; None without a map.

        Raises:
            ValueError: The map is broken, of another size, or of another K.
        """
        path = self.find(name)
        if path is None:
            return None
        labels = self._read_file(path)
        if labels.shape != (height, width):
            raise ValueError(
                f'`labels` should be maps of the size of their images, '
                f'{width} x {height}, but got {labels.shape[1]} x '
                f'{labels.shape[0]} in {path}. Label the images that the '
                'model was made of.'
            )
        if self.num_clusters is not None:
            check_label_range(labels, path, self.num_clusters)
        return labels

    def _read_file(self, path: str) -> np.ndarray:
        if self.num_clusters is None or self.num_clusters > _EIGHT_BITS:
            return read_label_map(path)
        array = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if array is None or array.ndim != 2 or array.dtype != np.uint8:
            return read_label_map(path)
        labels = array.astype(np.int64)
        if self.num_clusters < _EIGHT_BITS:
            labels[labels == _EIGHT_BITS - 1] = NO_LABEL
        return labels


def labels_at(label_map: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Labels of the pixels in which points lie.

    Args:
        label_map: (H, W) labels.
        pixels: (N, 2), 0.5 = centre of the first pixel; finite.

    Returns:
        (N,) int64, -1 for points outside of the map.
    """
    size = label_map.shape
    points = torch.from_numpy(np.asarray(from_colmap(pixels), np.float64))
    cells, inside = to_cells(points.reshape(-1, 2), size, size, 'centers')
    kept = inside.numpy()
    columns, rows = cells.numpy()[kept].T
    labels = np.full(len(kept), NO_LABEL, dtype=np.int64)
    labels[kept] = label_map[rows, columns]
    return labels


def read_stationary(path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """Read the stationary labels that find_stationary_clusters.py wrote.

    Args:
        path: ``stationary_clusters.json``.

    Returns:
        Which labels are stationary, (K,) bool, and K.

    Raises:
        ValueError: The file is another one.
    """
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        num = int(content['num_clusters'])
        stationary = np.zeros(num, dtype=bool)
        stationary[np.asarray(content['stationary'], dtype=np.int64)] = True
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ValueError(
            f'`stationary` should be a stationary_clusters.json, but got '
            f'{os.fspath(path)!r} ({error!r}). '
            'tools/analysis_tools/find_stationary_clusters.py writes one.'
        ) from error
    return stationary, num
