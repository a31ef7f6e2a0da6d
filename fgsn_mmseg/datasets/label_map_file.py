"""Label maps on disk: 16-bit PNGs, one a photo, with the same name."""

from __future__ import annotations

import os
import os.path as osp

import cv2
import numpy as np
from numpy.typing import ArrayLike

from ..files import check_file, whole_file
from ..structures import IGNORED_LABEL


def label_map_path(
    img_path: str, output_dir: str, img_root: str | None = None
) -> str:
    """Path of the label map of an image.

    Args:
        img_path: Path of the image.
        output_dir: Folder of the label maps.
        img_root: Folder of the images; None takes the bare file name.

    Returns:
        Path with the extension ``.png``.

    Raises:
        ValueError: `img_path` is not inside `img_root`.
    """
    if img_root is None:
        relative = osp.basename(img_path)
    else:
        relative = osp.relpath(img_path, img_root)
        if relative.split(os.sep)[0] == os.pardir:
            raise ValueError(
                f'`img_root` should be a folder that holds all images, but '
                f'got {img_root!r}, and {img_path} is outside.'
            )
    return osp.join(output_dir, osp.splitext(relative)[0] + '.png')


def write_label_map(path: str, labels: ArrayLike) -> None:
    """Write cluster ids as a 16-bit PNG.

    The file appears under its name only when it is complete, so that a run
    that was stopped leaves no half map behind.

    Args:
        path: File to write; its folder is made.
        labels: (H, W) integers in [0, 65535), or -1 (on disk 65535) for
            pixels without a label.

    Raises:
        ValueError: The shape, the type or a value does not fit.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.dtype.kind not in 'iu':
        raise ValueError(
            '`labels` should be integers of shape (H, W), but got '
            f'{array.dtype} of shape {array.shape}. File: {path}'
        )
    if array.size and not -1 <= array.min() <= array.max() <= IGNORED_LABEL:
        raise ValueError(
            f'`labels` should be in [-1, {IGNORED_LABEL}], but got values '
            f'from {array.min()} to {array.max()}. A map holds at most '
            f'{IGNORED_LABEL} clusters. File: {path}'
        )
    # -1 wraps around to 65535.
    done, buffer = cv2.imencode('.png', array.astype(np.uint16))
    if not done:
        raise ValueError(
            f'`labels` should be a map that PNG can hold, but got shape '
            f'{array.shape}. File: {path}'
        )
    with whole_file(path, shared=True) as part, open(part, 'wb') as file:
        file.write(buffer.tobytes())


def read_label_map(path: str) -> np.ndarray:
    """Read a label map written by :func:`write_label_map`.

    Args:
        path: 16-bit PNG.

    Returns:
        (H, W) int64 cluster ids, -1 for pixels without a label.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not a 16-bit single-channel image.
    """
    labels = read_stored_labels(path).astype(np.int64)
    labels[labels == IGNORED_LABEL] = -1
    return labels


def read_stored_labels(path: str) -> np.ndarray:
    """As :func:`read_label_map`, but (H, W) uint16 as stored."""
    path = os.fspath(path)
    check_file(path, 'path', 'a label map')
    data = np.fromfile(path, np.uint8)
    try:
        array = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:  # an empty file, or a size beyond OpenCV's limits
        array = None
    if array is None or array.ndim != 2 or array.dtype != np.uint16:
        got = 'no image' if array is None else f'{array.dtype} {array.shape}'
        raise ValueError(
            f'`path` should be a 16-bit PNG of one channel, but got {got}. '
            f'Eight bits cannot hold cluster ids. File: {path}'
        )
    return array
