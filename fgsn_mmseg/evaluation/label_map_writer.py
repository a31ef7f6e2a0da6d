from __future__ import annotations

import os
import os.path as osp
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS
from numpy.typing import ArrayLike

IGNORE_ON_DISK = 65535


@METRICS.register_module()
class LabelMapWriter(BaseMetric):
    """Write the predicted label map of every image as a 16-bit PNG.

    For mmseg's test loop, in the place of ``IoUMetric(format_only=True,
    output_dir=...)``, which casts to 8 bits. It computes no figure.

    Args:
        output_dir: Folder to write to; mmseg's ``tools/test.py --out`` sets
            it.
        img_root: Folder of the images. A map has the path of its image
            relative to it, with the extension ``.png``. Defaults to None:
            the bare file name, as long as no two images share it.
        keep_results: Not used. ``tools/test.py --out`` passes it.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of
            mmengine's ``BaseMetric``.
    """

    def __init__(
        self,
        output_dir: str,
        img_root: str | None = None,
        keep_results: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_dir = output_dir
        self.img_root = img_root
        self._written: dict[str, str] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Write the maps of one batch.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``img_path`` and ``pred_sem_seg``.

        Raises:
            ValueError: An image lies outside ``img_root``, or two images
                would be written to one file.
        """
        for sample in data_samples:
            image = sample['img_path']
            path = label_map_path(image, self.output_dir, self.img_root)
            if self._written.setdefault(path, image) != image:
                raise ValueError(
                    f'`img_root` should keep the images apart, but got '
                    f'{self.img_root!r}, for which {image} and '
                    f'{self._written[path]} are both written to {path}. Set '
                    'it to the folder that holds all images.'
                )
            labels = sample['pred_sem_seg']['data']
            write_label_map(path, labels.detach().cpu().numpy()[0])
            self.results.append(path)

    def compute_metrics(self, results: list[str]) -> dict[str, float]:
        """Say where the maps are.

        Args:
            results: Paths written by all ranks.

        Returns:
            An empty dict.
        """
        self._written.clear()
        print_log(
            f'{len(set(results))} label maps were written to '
            f'{self.output_dir}',
            logger='current',
        )
        return {}


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
    if array.size and not -1 <= array.min() <= array.max() <= IGNORE_ON_DISK:
        raise ValueError(
            f'`labels` should be in [-1, {IGNORE_ON_DISK}], but got values '
            f'from {array.min()} to {array.max()}. A map holds at most '
            f'{IGNORE_ON_DISK} clusters. File: {path}'
        )
    # -1 wraps around to 65535.
    done, buffer = cv2.imencode('.png', array.astype(np.uint16))
    if not done:
        raise ValueError(
            f'`labels` should be a map that PNG can hold, but got shape '
            f'{array.shape}. File: {path}'
        )
    os.makedirs(osp.dirname(osp.abspath(path)), exist_ok=True)
    # The process id keeps ranks apart that pad the set with the same image.
    part = f'{path}.{os.getpid()}.part'
    with open(part, 'wb') as file:
        file.write(buffer.tobytes())
    os.replace(part, path)


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
    array = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.ndim != 2 or array.dtype != np.uint16:
        got = 'no image' if array is None else f'{array.dtype} {array.shape}'
        raise ValueError(
            f'`path` should be a 16-bit PNG of one channel, but got {got}. '
            f'Eight bits cannot hold cluster ids. File: {path}'
        )
    labels = array.astype(np.int64)
    labels[labels == IGNORE_ON_DISK] = -1
    return labels
