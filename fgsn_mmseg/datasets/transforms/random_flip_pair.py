from __future__ import annotations

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS

from fgsn_mmseg.geometry import flip_points

from ._pair_keys import SUFFIXES, present_images


@TRANSFORMS.register_module()
class RandomFlipPair(BaseTransform):
    """Flip images, and their points, left to right.

    Required Keys:

    - img and / or img2
    - points, points2 (optional)

    Modified Keys (with the suffix 2 for the target image):

    - img
    - points (optional)

    Added Keys (with the suffix 2 for the target image):

    - flip (bool)
    - flip_direction (str or None): 'horizontal' where flipped.

    Args:
        prob (float): Probability of a flip. Defaults to 0.5.
        same (bool): Flip both images of a pair or neither; False draws for
            each image. Defaults to True.
    """

    def __init__(self, prob: float = 0.5, same: bool = True) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(
                f'`prob` should be between 0 and 1, but got {prob!r}. 0.5 '
                'flips every other pair.'
            )
        self.prob = prob
        self.same = same

    @cache_randomness
    def _draw_flips(self) -> list[bool]:
        """Whether to flip, for each image."""
        draws = np.random.uniform(size=len(SUFFIXES)) < self.prob
        return [bool(draws[0 if self.same else i]) for i in range(len(draws))]

    def transform(self, results: dict) -> dict:
        """Flip the images that are there."""
        flips = dict(zip(SUFFIXES, self._draw_flips()))
        for suffix in present_images(results):
            flip = flips[suffix]
            results[f'flip{suffix}'] = flip
            results[f'flip_direction{suffix}'] = 'horizontal' if flip else None
            if not flip:
                continue
            img = mmcv.imflip(results[f'img{suffix}'])
            results[f'img{suffix}'] = img
            points = results.get(f'points{suffix}')
            if points is not None:
                results[f'points{suffix}'] = flip_points(points, img.shape[1])
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(prob={self.prob}, same={self.same})'
