from __future__ import annotations

import os.path as osp
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS

from .image_file import list_images
from .name_list import read_names


@DATASETS.register_module()
class HomographyPairDataset(BaseDataset):
    """Single images, of which ``RandomHomographyPair`` makes pairs.

    An FGSN can be trained so on any folder of images. It learns to be
    indifferent to viewpoint and to what the photometric transforms of the
    pipeline change, not to seasons: real pairs teach more.

    The pipeline begins with ``LoadImagePair`` and ``RandomHomographyPair``.
    Without the latter the same data set serves as the reference images of
    the clustering; they have no correspondences, so set the
    ``ClusteringHook``'s ``fraction=1.0``: all features at random places.

    Args:
        ann_file (str): List of images, one path relative to the image
            folder a line. Defaults to '': all images, sorted.
        data_root (str): Folder of the data set. Defaults to ''.
        data_prefix (dict): Folder of the images (``img_path``) inside
            ``data_root``. Defaults to ``dict(img_path='')``.
        pipeline (list): Transforms. Defaults to none.
        **kwargs: As in :class:`mmengine.dataset.BaseDataset`.

    Raises:
        FileNotFoundError: The folder or a listed image is missing, or there
            is no image.
        ValueError: The list is empty.
    """

    METAINFO: dict = dict(dataset_type='homography_pairs')

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        data_prefix: dict | None = None,
        pipeline: Sequence[dict | Callable] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=dict(img_path='') | (data_prefix or {}),
            pipeline=list(pipeline),
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """List the images.

        Returns:
            list[dict]: For each image ``img_path`` and ``points``, none
            ((0, 2) float32).
        """
        root = self.data_prefix['img_path'] or self.data_root
        if self.ann_file:
            names = read_names(self.ann_file)
        else:
            names = list_images(root)
        missing = [n for n in names if not osp.isfile(osp.join(root, n))]
        if missing:
            raise FileNotFoundError(
                f'`ann_file` should list images of {root!r}, but '
                f'{len(missing)} of {len(names)} are not there, the first is '
                f'{missing[0]!r}.'
            )
        if not names:
            raise ValueError(
                f'`ann_file` should list images, but got none in '
                f'{self.ann_file!r}.'
            )
        return [
            dict(
                img_path=osp.join(root, name),
                points=np.zeros((0, 2), dtype=np.float32),
            )
            for name in names
        ]
