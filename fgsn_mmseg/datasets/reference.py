from __future__ import annotations

import logging
import os
import os.path as osp
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from .correspondence import CorrespondenceDataset
from .name_list import ImageNames, read_names, similar_images
from .reference_index import load_reference_index


@DATASETS.register_module()
class ReferenceImageDataset(CorrespondenceDataset):
    """Every reference image once, with all its correspondence positions.

    What the clustering looks at. The positions of an image are gathered over
    all pairs in which it is the reference, and kept in one file beside the
    data (see :mod:`fgsn_mmseg.datasets.reference_index`), so that a second
    start opens one file. Images are sorted by path.

    Args:
        *args: As in :class:`CorrespondenceDataset`.
        both_directions (bool): Count the target of a pair as a reference
            too, as the swapped pairs of :class:`CorrespondenceDataset` do.
            Defaults to False.
        reference_image_names (str, optional): List file, relative to
            ``data_root``, one image a line: only these images are used. A
            name is a path relative to the image root or, as the authors
            write it, the path's ``<first>_<third>`` component, with or
            without the extension. A listed path that is no reference of a
            pair, but is there, comes without positions. Defaults to None:
            all reference images of the pairs.
        cache_dir (str, optional): Folder of the index. Defaults to None: the
            folder that holds the folder of ``.mat`` files.
        **kwargs: As in :class:`CorrespondenceDataset`.

    Raises:
        FileNotFoundError: A list, a folder or a file is missing.
        ValueError: A file is broken, or no image is left.
    """

    METAINFO: dict = dict(dataset_type='reference_images')

    def __init__(
        self,
        *args: Any,
        reference_image_names: str | None = None,
        cache_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.reference_image_names = reference_image_names
        self.cache_dir = cache_dir
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """List the images.

        Returns:
            list[dict]: For each image ``img_path`` and ``points`` ((N, 2)
            float32 xy in pixels of the original image).
        """
        pairs = super().load_data_list()
        cache_dir = self.cache_dir
        if cache_dir is None:
            cache_dir = osp.dirname(osp.abspath(self.data_prefix['corr_path']))
        index = load_reference_index(
            [(pair['corr_path'], pair['swap']) for pair in pairs], cache_dir
        )
        if self.reference_image_names:
            index = self._select(index)
        img_root = self.data_prefix['img_path']
        return [
            dict(img_path=osp.join(img_root, name), points=index[name])
            for name in sorted(index)
        ]

    def _select(self, index: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Keep the listed images."""
        source = osp.join(
            self.data_root or '', str(self.reference_image_names)
        )
        known = ImageNames(index)
        img_root = self.data_prefix['img_path']
        selected: dict[str, np.ndarray] = {}
        unknown = []
        for name in read_names(source):
            meant = known.find(name)
            files = [] if meant else similar_images(osp.join(img_root, name))
            selected.update({path: index[path] for path in meant})
            if len(files) == 1:
                path = osp.relpath(files[0], img_root).replace(os.sep, '/')
                selected[path] = np.zeros((0, 2), dtype=np.float32)
            elif not meant:
                unknown.append(name)
        if not selected:
            raise ValueError(
                '`reference_image_names` should list reference images of the '
                f'pairs, but got {unknown[:1]!r} ... in {source!r}. Use the '
                'list that belongs to `ann_file`.'
            )
        if unknown:
            print_log(
                f'{source}: {len(unknown)} names are left out, the first is '
                f'{unknown[0]!r}: no reference image of the listed pairs.',
                logger='current',
                level=logging.WARNING,
            )
        return selected
