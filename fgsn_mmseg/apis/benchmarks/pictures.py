"""A small made-up data set in the published layout."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import cv2
import mmengine
import numpy as np

from fgsn_mmseg.datasets import write_pair_file

SIZE = (768, 1024)  # of CMU's photos
NUM_PAIRS = 8
NUM_POINTS = 500


@contextmanager
def pair_set(
    data_root: str | None, size: tuple[int, int] = SIZE
) -> Iterator[str]:
    """A set of pairs to read from.

    Args:
        data_root (str, optional): A set that is there. None: one is made up
            and removed afterwards.
        size (tuple[int]): (height, width) of made-up photos.

    Yields:
        str: Its root.
    """
    if data_root is not None:
        yield data_root
        return
    with TemporaryDirectory() as folder:
        make_pairs(folder, size)
        yield folder


def make_pairs(root: str, size: tuple[int, int]) -> None:
    """Write JPEGs and correspondences at random places."""
    rng = np.random.default_rng(0)
    mmengine.mkdir_or_exist(osp.join(root, 'images', 'a', 'b'))
    for index in range(NUM_PAIRS):
        names = [f'a/b/{index}_{side}.jpg' for side in 'ij']
        for name in names:
            cv2.imwrite(osp.join(root, 'images', name), _photo(rng, size))
        write_pair_file(
            osp.join(root, 'correspondence_data', f'{index}.mat'),
            dict(
                img_path=names[0],
                img_path2=names[1],
                points=rng.uniform(0, size[::-1], (NUM_POINTS, 2)),
                points2=rng.uniform(0, size[::-1], (NUM_POINTS, 2)),
                dist_from_center=rng.uniform(0, 2, NUM_POINTS),
            ),
        )


def _photo(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Noise at all scales: about as long to decode as a photo."""
    image = np.full((*size, 3), 128.0, np.float32)
    for divisor, contrast in ((256, 50), (64, 30), (16, 15), (4, 8)):
        shape = [max(length // divisor, 2) for length in size]
        noise = rng.normal(0, contrast, (*shape, 3)).astype(np.float32)
        image += cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)
