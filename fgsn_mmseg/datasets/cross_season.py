from __future__ import annotations

import os.path as osp

from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from .label_ids import CITYSCAPES_TRAIN_IDS
from .named_errors import NamedErrors

SPLITS = ('training', 'validation', 'testing')
HOMEPAGE = 'https://www.visuallocalization.net'


class _SeasonsDataset(NamedErrors, CityscapesDataset):
    """What the two annotated cross-season sets have in common.

    The 19 classes and the palette are those of Cityscapes. The annotations on
    disk are Cityscapes *ids* 0..33; ``label_map`` in each sample turns them
    into train ids while mmseg's ``LoadAnnotations`` reads them.

    Args:
        split (str): 'training', 'validation' or 'testing'.
        data_root (str): Root of the published tree. Defaults to the folder
            of this set under ``data/``.
        data_prefix (dict, optional): Folders ``img_path`` and
            ``seg_map_path`` relative to ``data_root``, where they are not
            those of the published tree. Defaults to None.
        img_suffix (str): Ending of the images. Defaults to '.png'.
        seg_map_suffix (str): Ending of the annotations. Defaults to '.png'.
        **kwargs: Arguments of :class:`mmseg.datasets.BaseSegDataset`.

    Raises:
        ValueError: ``split`` is none of the three.
        FileNotFoundError: A folder, every image of it, or the annotation of
            an image is missing.
    """

    FOLDER = ''  # annotated images, relative to the root
    DATA_ROOT = ''

    def __init__(
        self,
        split: str = 'training',
        data_root: str | None = None,
        data_prefix: dict | None = None,
        img_suffix: str = '.png',
        seg_map_suffix: str = '.png',
        **kwargs,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(
                f'`split` should be one of {SPLITS}, but got {split!r}.'
            )
        if data_prefix is None:
            data_prefix = dict(
                img_path=f'{self.FOLDER}/{split}/imgs',
                seg_map_path=f'{self.FOLDER}/{split}/annos',
            )
        super().__init__(
            data_root=data_root or self.DATA_ROOT,
            data_prefix=data_prefix,
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """List the images with their annotations.

        Returns:
            list[dict]: One sample per image, sorted by path, with
            ``img_path``, ``seg_map_path`` and ``label_map``.
        """
        for name in ('img_path', 'seg_map_path'):
            self._check_folder(name)
        samples = super().load_data_list()
        label_map = self._ids_to_labels()
        for sample in samples:
            sample['label_map'] = label_map
        self._check_samples(samples)
        return samples

    def _ids_to_labels(self) -> dict[int, int]:
        # `self.label_map` is train id -> label, and set only where the user
        # chose some of the 19 classes in `metainfo`.
        chosen = self.label_map or {}
        return {
            i: chosen.get(train_id, train_id)
            for i, train_id in CITYSCAPES_TRAIN_IDS.items()
        }

    def _check_folder(self, name: str) -> None:
        folder = self.data_prefix.get(name)
        if not folder or not osp.isdir(folder):
            raise FileNotFoundError(
                f'`data_prefix.{name}` should be a folder of annotated '
                f'images, but got {folder!r}. Download and unpack the '
                f'cross-season data set from {HOMEPAGE} and set `data_root`.'
            )

    def _check_samples(self, samples: list[dict]) -> None:
        if not samples:
            raise FileNotFoundError(
                f'`data_prefix.img_path` should hold *{self.img_suffix} '
                f'images, but got {self.data_prefix["img_path"]!r} without '
                f'any. Unpack the data set from {HOMEPAGE} again.'
            )
        paths = [sample['seg_map_path'] for sample in samples]
        missing = [path for path in paths if not osp.isfile(path)]
        if missing:
            raise FileNotFoundError(
                f'Every image should have its annotation, but got '
                f'{len(missing)} of {len(paths)} without, the first is '
                f'{missing[0]!r}. Unpack the data set from {HOMEPAGE} again.'
            )


@DATASETS.register_module()
class CMUSeasonsDataset(_SeasonsDataset):
    """Annotated images of CMU Seasons, on the 19 classes of Cityscapes.

    Reads ``segmented_images/{training,validation,testing}/{imgs,annos}`` of
    the published tree. See the base class for the arguments.
    """

    FOLDER = 'segmented_images'
    DATA_ROOT = 'data/CMU'


@DATASETS.register_module()
class RobotCarSeasonsDataset(_SeasonsDataset):
    """Annotated images of RobotCar Seasons, on the 19 classes of Cityscapes.

    Reads ``{training,validation,testing}/{imgs,annos}`` in the folder
    ``segmented_images_201810`` of the published tree. See the base class for
    the arguments.
    """

    FOLDER = 'segmented_images_201810'
    DATA_ROOT = 'data/ROBOTCAR'
