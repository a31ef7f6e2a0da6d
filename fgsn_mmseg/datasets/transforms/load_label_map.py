from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from fgsn_mmseg.structures import IGNORED_LABEL

from ..label_map_file import read_stored_labels


@TRANSFORMS.register_module()
class LoadLabelMap(BaseTransform):
    """Read a 16-bit label map as ground truth of mmseg's training.

    In the place of mmseg's ``LoadAnnotations``, which reads eight bits.
    Label 255 is a label like all others; 65535 is to be ignored. So the
    steps after it need ``ignore_index=65535`` or ``seg_pad_val=65535`` where
    mmseg's default is 255: ``RandomCrop``, ``Pad``, ``RandomRotate``,
    ``SegDataPreProcessor``, ``IoUMetric``.

    Required Keys:

    - seg_map_path
    - ori_shape (optional): the map has to be of this size.
    - num_clusters (optional): labels have to be below it.

    Modified Keys:

    - seg_fields

    Added Keys:

    - gt_seg_map (np.ndarray): (H, W) uint16.
    """

    def transform(self, results: dict) -> dict:
        """Read the map."""
        path = results['seg_map_path']
        labels = read_stored_labels(path)
        size = tuple(results.get('ori_shape', labels.shape)[:2])
        if labels.shape != size:
            raise ValueError(
                f'`seg_map_path` should be of the size {size} of its image, '
                f'but got {labels.shape} in {path!r}. Use the image that was '
                'labelled, read with '
                "`color_type='color_ignore_orientation'`."
            )
        self._check_labels(labels, results.get('num_clusters'), path)
        results['gt_seg_map'] = labels
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    @staticmethod
    def _check_labels(
        labels: np.ndarray, num_clusters: int | None, path: str
    ) -> None:
        if num_clusters is None:
            return
        wrong = labels[(labels >= num_clusters) & (labels != IGNORED_LABEL)]
        if wrong.size:
            raise ValueError(
                f'`num_clusters` should be above every label, but got '
                f'{num_clusters} and the label {wrong.max()} in {path!r}. '
                'Set it to the number of clusters of the network that wrote '
                'the maps.'
            )

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'
