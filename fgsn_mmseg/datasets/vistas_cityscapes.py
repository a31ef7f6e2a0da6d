from __future__ import annotations

import os.path as osp

from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from .named_errors import NamedErrors


@DATASETS.register_module()
class VistasCityscapesDataset(NamedErrors, CityscapesDataset):
    """Mapillary Vistas v1 on the 19 classes of Cityscapes.

    Reads the train ids that ``tools/dataset_converters/
    vistas_to_cityscapes.py`` writes beside the labels of Vistas, so that it
    can be joined with Cityscapes (mmengine's ``ConcatDataset``).

    Args:
        split (str): 'training' or 'validation'; the published testing images
            have no labels.
        data_root (str): Root of the unpacked set. Defaults to 'data/vistas'.
        data_prefix (dict, optional): Folders ``img_path`` and
            ``seg_map_path`` relative to ``data_root``, where they are not
            ``<split>/images`` and ``<split>/labels``. Defaults to None.
        img_suffix (str): Ending of the images. Defaults to '.jpg'.
        seg_map_suffix (str): Ending of the converted labels. Defaults to
            '_labelTrainIds.png'.
        **kwargs: Arguments of :class:`mmseg.datasets.BaseSegDataset`.

    Raises:
        ValueError: ``split`` is neither of the two.
        FileNotFoundError: A folder, every image of it, or the converted
            labels of an image are missing.
    """

    def __init__(
        self,
        split: str = 'training',
        data_root: str = 'data/vistas',
        data_prefix: dict | None = None,
        img_suffix: str = '.jpg',
        seg_map_suffix: str = '_labelTrainIds.png',
        **kwargs,
    ) -> None:
        if split not in ('training', 'validation'):
            raise ValueError(
                f"`split` should be 'training' or 'validation', but got "
                f'{split!r}.'
            )
        if data_prefix is None:
            data_prefix = dict(
                img_path=f'{split}/images', seg_map_path=f'{split}/labels'
            )
        super().__init__(
            data_root=data_root,
            data_prefix=data_prefix,
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """List the images with their converted labels.

        Returns:
            list[dict]: One sample per image, sorted by path.
        """
        for name in ('img_path', 'seg_map_path'):
            folder = self.data_prefix.get(name)
            if not folder or not osp.isdir(folder):
                raise FileNotFoundError(
                    f'`data_prefix.{name}` should be a folder of Mapillary '
                    f'Vistas, but got {folder!r}. Unpack Vistas v1 from '
                    'https://www.mapillary.com/dataset/vistas and set '
                    '`data_root`.'
                )
        samples = super().load_data_list()
        missing = [
            sample['seg_map_path']
            for sample in samples
            if not osp.isfile(sample['seg_map_path'])
        ]
        if missing or not samples:
            example = missing[0] if missing else self.data_prefix['img_path']
            raise FileNotFoundError(
                f'Every image of Vistas should have its train ids, but got '
                f'{len(missing)} of {len(samples)} without, see {example!r}. '
                'Run tools/dataset_converters/vistas_to_cityscapes.py first.'
            )
        return samples
