from __future__ import annotations

import os.path as osp
from typing import Any

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from fgsn_mmseg.structures import IGNORED_LABEL

from .image_file import list_images
from .label_map_file import label_map_path
from .name_list import read_names
from .named_errors import NamedErrors
from .palette import cluster_palette


@DATASETS.register_module()
class LabelMapDataset(NamedErrors, BaseSegDataset):
    """Photos with the label maps that ``tools/label_images.py`` wrote.

    A small network learns from it what a large FGSN sees. The folder is::

        <data_root>/
          images/<any path>.(jpg|png|...)
          label_maps/<the same path>.png    16 bits, 65535 is ignored

    The classes are the cluster ids '0' to 'K - 1', their colours those of
    all pictures. The pipeline reads maps by ``LoadLabelMap``.

    Args:
        num_clusters (int): K of the network that wrote the maps.
        ann_file (str): List of images, relative to the folder of images.
            Defaults to '': all images of the folder.
        data_root (str): Folder of the data set. Defaults to ''.
        data_prefix (dict): Folders of the images (``img_path``) and of the
            maps (``seg_map_path``) inside ``data_root``. Without the latter
            there are no maps: for prediction. Defaults to
            ``dict(img_path='images', seg_map_path='label_maps')``.
        **kwargs: As in :class:`mmseg.datasets.BaseSegDataset`.

    Raises:
        FileNotFoundError: A folder, the list, or the map of an image is not
            there.
        ValueError: ``num_clusters`` is not a whole number of 1 to 65535.
    """

    def __init__(
        self,
        num_clusters: int,
        ann_file: str = '',
        data_root: str = '',
        data_prefix: dict | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(num_clusters, int):
            raise ValueError(
                '`num_clusters` should be a whole number, but got '
                f'{num_clusters!r}. Label maps hold ids from 0 on.'
            )
        self.num_clusters = num_clusters
        metainfo = dict(
            classes=tuple(map(str, range(num_clusters))),
            palette=cluster_palette(num_clusters).tolist(),
        )
        if data_prefix is None:
            data_prefix = dict(img_path='images', seg_map_path='label_maps')
        kwargs.setdefault('ignore_index', IGNORED_LABEL)
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo={**metainfo, **kwargs.pop('metainfo', {})},
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """List the images with their maps.

        Returns:
            list[dict]: For each image ``img_path``, ``seg_map_path`` (where
            there are maps), ``num_clusters``, ``seg_fields`` and
            ``reduce_zero_label`` (False).
        """
        images = self.data_prefix['img_path']
        maps = self.data_prefix.get('seg_map_path')
        names = (
            read_names(self.ann_file) if self.ann_file else list_images(images)
        )
        samples = []
        for name in names:
            path = osp.join(images, name)
            sample = dict(
                img_path=path,
                num_clusters=self.num_clusters,
                reduce_zero_label=False,
                seg_fields=[],
            )
            if maps:
                sample['seg_map_path'] = label_map_path(path, maps, images)
            samples.append(sample)
        self._check_maps(samples)
        return samples

    @staticmethod
    def _check_maps(samples: list[dict]) -> None:
        missing = [
            path
            for path in (s.get('seg_map_path') for s in samples)
            if path and not osp.isfile(path)
        ]
        if missing:
            raise FileNotFoundError(
                'Every image should have its label map, but got '
                f'{len(missing)} of {len(samples)} without, the first is '
                f'{missing[0]!r}. Run tools/label_images.py again: it goes on '
                'where it stopped.'
            )
