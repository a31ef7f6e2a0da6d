"""Masks that keep COLMAP and hloc from using what does not stay."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Iterable

import numpy as np

from fgsn_mmseg.datasets import read_image, write_image

from .label_maps import LabelMaps


def write_masks(
    images: str | os.PathLike,
    names: Iterable[str],
    maps: LabelMaps,
    out_dir: str | os.PathLike,
    stationary: np.ndarray,
) -> tuple[list[str], list[str]]:
    """Write a mask for every image: black where no features may be.

    The mask of ``a/012.jpg`` is ``a/012.jpg.png``, as COLMAP's
    ``ImageReader.mask_path`` wants it. Pixels without label are white: of
    them nothing is known.

    Args:
        images: Folder of the images.
        names: Of the images, relative to it.
        maps: Their label maps.
        out_dir: Folder to write to.
        stationary: (K,) bool, labels that stay white.

    Returns:
        Names whose mask was written, and names without a label map.

    Raises:
        ValueError: An image is broken, or a map does not fit its image.
    """
    written, missing = [], []
    # The last entry answers for -1, a pixel without label.
    white = np.append(stationary, True)
    for name in names:
        photo = read_image(osp.join(images, name))
        labels = maps.read(name, photo.shape[1], photo.shape[0])
        if labels is None:
            missing.append(name)
            continue
        mask = np.where(white[labels], 255, 0).astype(np.uint8)
        write_image(osp.join(out_dir, f'{name}.png'), mask)
        written.append(name)
    return written, missing
