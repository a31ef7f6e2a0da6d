from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS

from fgsn_mmseg.structures import PairDataSample

_IMAGE_KEYS = (
    'img_path',
    'ori_shape',
    'img_shape',
    'pad_shape',
    'scale_factor',
    'flip',
    'flip_direction',
)
_META_KEYS = (
    *_IMAGE_KEYS,
    *(f'{key}2' for key in _IMAGE_KEYS),
    'seg_map_path',
    'reduce_zero_label',
    'corr_path',
    'swap',
    'sample_idx',
)


@TRANSFORMS.register_module()
class PackPairInputs(PackSegInputs):
    """Pack a pair, or a single image, for the model.

    Required Keys:

    - img
    - img2 (optional)
    - points, points2, point_weights (optional)
    - what :class:`mmseg.datasets.transforms.PackSegInputs` packs (optional)

    Returned keys:

    - inputs: ``dict(img=(3, H, W), img2=(3, H2, W2))`` of tensors for a pair;
      the tensor alone for a single image, as mmseg has it.
    - data_samples (:class:`fgsn_mmseg.structures.PairDataSample`)

    Args:
        meta_keys (Sequence[str]): Keys that go into the sample's metainfo,
            as far as they are there. Defaults to mmseg's, each also with the
            suffix 2, and ``corr_path``, ``swap``, ``sample_idx``.
    """

    def __init__(self, meta_keys: Sequence[str] = _META_KEYS) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack."""
        packed = super().transform(results)
        if results.get('img2') is not None:
            pixels = np.ascontiguousarray(results['img2'].transpose(2, 0, 1))
            packed['inputs'] = dict(
                img=packed['inputs'], img2=torch.from_numpy(pixels)
            )
        sample = packed['data_samples']
        fields = {
            key: torch.from_numpy(np.asarray(results[key], dtype=np.float32))
            for key in ('points', 'points2', 'point_weights')
            if results.get(key) is not None
        }
        packed['data_samples'] = PairDataSample(
            metainfo=sample.metainfo, **dict(sample.items()), **fields
        )
        return packed
