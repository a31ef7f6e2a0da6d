from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ._pair_keys import present_images


@TRANSFORMS.register_module()
class StandardizePair(BaseTransform):
    """Give each channel of each image the same mean and spread.

    Takes away much of what light and exposure do to an image before the
    network sees it: (pixel - own mean) / own std * std + mean, per channel.

    Required Keys:

    - img and / or img2

    Modified Keys:

    - img, img2

    Args:
        mean (float): Mean of every channel afterwards, in grey levels.
            Defaults to 127.5.
        std (float): Standard deviation afterwards, in grey levels. Defaults
            to 64.
        to_float32 (bool): Keep float32, unclipped; False rounds to uint8 and
            clips to 0..255, which photometric transforms expect. Defaults to
            False.
    """

    def __init__(
        self,
        mean: float = 127.5,
        std: float = 64.0,
        to_float32: bool = False,
    ) -> None:
        self.mean = mean
        self.std = std
        self.to_float32 = to_float32

    def transform(self, results: dict) -> dict:
        """Standardize the images that are there."""
        for suffix in present_images(results):
            results[f'img{suffix}'] = self._standardize(
                results[f'img{suffix}']
            )
        return results

    def _standardize(self, img: np.ndarray) -> np.ndarray:
        own_mean, own_std = (x.ravel() for x in cv2.meanStdDev(img))
        # A channel of one value has no spread to stretch; half a grey level
        # is below what 8 bits can tell.
        gain = self.std / np.maximum(own_std, 0.5)
        if img.dtype == np.uint8:
            # Few values, many pixels: compute each value once.
            levels = np.arange(256, dtype=np.float32)[:, None]
            table = self._map(levels, own_mean, gain)
            return cv2.LUT(img, table[None])
        return self._map(img.astype(np.float32), own_mean, gain)

    def _map(
        self, pixels: np.ndarray, own_mean: np.ndarray, gain: np.ndarray
    ) -> np.ndarray:
        """(..., C) pixels, or (..., 1) for all channels, to (..., C)."""
        pixels = (pixels - own_mean) * gain + self.mean
        if self.to_float32:
            return pixels.astype(np.float32)
        return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(mean={self.mean}, std={self.std}, '
            f'to_float32={self.to_float32})'
        )
