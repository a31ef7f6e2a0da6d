from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS

from fgsn_mmseg.geometry import crop_start, inside_image

from ._pair_keys import SUFFIXES, keep_points, present_images


@TRANSFORMS.register_module()
class RandomCropPair(BaseTransform):
    """Crop both images around one correspondence, chosen at random.

    The crop has the chosen point in its middle (pixel ``size // 2``) as far
    as the image reaches. An image smaller than the crop is padded on both
    sides first; point and crop are then placed in the padded image. What lies
    outside either crop, or outside an image, is dropped. Without
    correspondences each image is cropped at random.

    Required Keys:

    - img and / or img2
    - points, points2, point_weights (optional)

    Modified Keys (with the suffix 2 for the target image):

    - img
    - img_shape
    - points, point_weights (optional)

    Args:
        crop_size (int or tuple[int]): (height, width) in pixels. Defaults to
            713, the paper's.
        pad_val (float or tuple[float]): Value of the padding, one for all or
            one for each channel. Defaults to 0.
    """

    def __init__(
        self,
        crop_size: int | tuple[int, int] = 713,
        pad_val: float | tuple[float, ...] = 0,
    ) -> None:
        size = (
            (crop_size, crop_size)
            if isinstance(crop_size, int)
            else tuple(crop_size)
        )
        if len(size) != 2 or min(size) < 1:
            raise ValueError(
                '`crop_size` should be (height, width) in pixels, but got '
                f'{crop_size!r}. The paper crops 713 x 713.'
            )
        self.crop_size = size
        self.pad_val = pad_val

    @cache_randomness
    def _draw(self) -> np.ndarray:
        """Five numbers in [0, 1): which point, and y, x of two free crops."""
        return np.random.uniform(size=1 + 2 * len(SUFFIXES))

    def transform(self, results: dict) -> dict:
        """Crop the images that are there."""
        suffixes = present_images(results)
        draw = self._draw()
        chosen = self._choose(results, suffixes, draw[0])
        keep: np.ndarray | bool = True
        for suffix in suffixes:
            img = results[f'img{suffix}']
            place = 1 + 2 * SUFFIXES.index(suffix)
            point = chosen.get(suffix)
            starts = self._starts(img.shape, point, draw[place : place + 2])
            results[f'img{suffix}'] = self._crop(img, starts)
            results[f'img_shape{suffix}'] = self.crop_size
            points = results.get(f'points{suffix}')
            if points is not None:
                moved = points - np.array(starts[::-1], dtype=points.dtype)
                keep = keep & inside_image(points, img.shape)
                keep = keep & inside_image(moved, self.crop_size)
                results[f'points{suffix}'] = moved
        if isinstance(keep, np.ndarray):
            keep_points(results, keep)
        return results

    @staticmethod
    def _choose(
        results: dict, suffixes: list, draw: float
    ) -> dict[str, np.ndarray]:
        """The chosen correspondence's (2,) xy in each image, {} if none."""
        with_points = [
            s for s in suffixes if results.get(f'points{s}') is not None
        ]
        if not with_points:
            return {}
        usable = np.logical_and.reduce(
            [
                inside_image(results[f'points{s}'], results[f'img{s}'].shape)
                for s in with_points
            ]
        )
        candidates = np.flatnonzero(usable)
        if len(candidates) == 0:
            return {}
        index = candidates[int(draw * len(candidates))]
        return {s: results[f'points{s}'][index] for s in with_points}

    def _starts(
        self, shape: tuple, point: np.ndarray | None, draw: np.ndarray
    ) -> tuple[int, int]:
        """(y, x) of the crop's first pixel in the image; negative: padding."""
        y, x = (
            crop_start(
                shape[axis],
                self.crop_size[axis],
                None if point is None else point[1 - axis],
                draw[axis],
            )
            for axis in (0, 1)
        )
        return y, x

    def _crop(self, img: np.ndarray, starts: tuple[int, int]) -> np.ndarray:
        """(H, W, C) -> (crop height, crop width, C)."""
        height, width = self.crop_size
        top, left = (max(-start, 0) for start in starts)
        y, x = (max(start, 0) for start in starts)
        part = img[y : y + height, x : x + width]
        if part.shape[:2] == self.crop_size:
            # A view would keep the whole image alive in the loader's queue.
            return part.copy()
        crop = np.empty((height, width, *img.shape[2:]), dtype=img.dtype)
        crop[...] = self.pad_val
        crop[top : top + part.shape[0], left : left + part.shape[1]] = part
        return crop

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(crop_size={self.crop_size}, '
            f'pad_val={self.pad_val})'
        )
