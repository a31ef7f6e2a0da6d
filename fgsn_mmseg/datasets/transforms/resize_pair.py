from __future__ import annotations

from typing import Any

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS

from fgsn_mmseg.geometry import resize_points, resize_scale, resized_size

from ._pair_keys import SUFFIXES, present_images


@TRANSFORMS.register_module()
class ResizePair(BaseTransform):
    """Resize each image by itself; its points follow exactly.

    With the short side resized to ``short_side`` the long side follows,
    rounded to whole pixels; the points are scaled by the true factor of each
    axis, s = new length / old length: x' = (x + 0.5) * s - 0.5, where 0 is
    the centre of the first pixel.

    Required Keys:

    - img and / or img2
    - points, points2 (optional)

    Modified Keys (with the suffix 2 for the target image):

    - img
    - img_shape
    - points (optional)

    Added Keys (with the suffix 2 for the target image):

    - scale_factor (tuple): (w, h) from the original to the new image.

    Args:
        short_side (int): Length of the short side in pixels. Defaults to
            1024, the paper's.
        scale (tuple[int], optional): (width, height) of the new image,
            whatever its shape was, instead of ``short_side``. Defaults to
            None.
        ratio_range (tuple[float], optional): The size is multiplied by a
            factor drawn from this range for each image anew. Defaults to
            None, which means 1.
        interpolation (str): As in :func:`mmcv.imresize`. Defaults to
            'bilinear'.
        backend (str): As in :func:`mmcv.imresize`. Defaults to 'cv2'.
        max_pixels (int): A new image that would have more is refused: of 8 x
            1000 pixels it would be 1024 x 128000. Defaults to 64,000,000.
    """

    def __init__(
        self,
        short_side: int = 1024,
        scale: tuple[int, int] | None = None,
        ratio_range: tuple[float, float] | None = None,
        interpolation: str = 'bilinear',
        backend: str = 'cv2',
        max_pixels: int = 64_000_000,
    ) -> None:
        if short_side < 1:
            raise ValueError(
                f'`short_side` should be at least 1, but got {short_side!r}. '
                'The paper resizes to 1024.'
            )
        if scale is not None and (len(scale) != 2 or min(scale) < 1):
            raise ValueError(
                '`scale` should be (width, height) in pixels, but got '
                f'{scale!r}. Leave it out to keep the shape of the images.'
            )
        if ratio_range is not None and not (
            len(ratio_range) == 2 and 0 < ratio_range[0] <= ratio_range[1]
        ):
            raise ValueError(
                '`ratio_range` should be (low, high) with 0 < low <= high, '
                f'but got {ratio_range!r}. (0.5, 2.0) is common.'
            )
        self.short_side = short_side
        self.scale = scale
        self.ratio_range = ratio_range
        self.interpolation = interpolation
        self.backend = backend
        self.max_pixels = max_pixels

    @cache_randomness
    def _draw_ratios(self) -> list[float]:
        """A factor for each image."""
        if self.ratio_range is None:
            return [1.0] * len(SUFFIXES)
        return np.random.uniform(*self.ratio_range, len(SUFFIXES)).tolist()

    def _new_size(self, shape: tuple, ratio: float) -> tuple[int, int]:
        """(height, width) of the resized image."""
        if self.scale is None:
            # Round the short side first: the long side shall follow it.
            short = max(int(self.short_side * ratio + 0.5), 1)
            return resized_size(shape, short)
        width, height = (max(int(x * ratio + 0.5), 1) for x in self.scale)
        return height, width

    def transform(self, results: dict) -> dict:
        """Resize the images that are there."""
        ratios = dict(zip(SUFFIXES, self._draw_ratios()))
        for suffix in present_images(results):
            img = results[f'img{suffix}']
            size = self._new_size(img.shape, ratios[suffix])
            if size[0] * size[1] > self.max_pixels:
                raise ValueError(
                    '`short_side` should leave an image of at most '
                    f'`max_pixels`={self.max_pixels}, but got {size} from '
                    f'{img.shape[:2]} of {results.get(f"img_path{suffix}")!r}'
                    '. Leave the image out, or raise `max_pixels`.'
                )
            factor = resize_scale(img.shape, size)
            img = self._resize(img, size)
            results[f'img{suffix}'] = img
            results[f'img_shape{suffix}'] = img.shape[:2]
            before = results.get(f'scale_factor{suffix}', (1.0, 1.0))
            results[f'scale_factor{suffix}'] = tuple(
                float(f * b) for f, b in zip(factor, before)
            )
            points = results.get(f'points{suffix}')
            if points is not None:
                moved = resize_points(points, factor)
                results[f'points{suffix}'] = moved.astype(np.float32)
        return results

    def _resize(self, img: np.ndarray, size: tuple[int, int]) -> Any:
        """The image with (height, width) ``size``."""
        return mmcv.imresize(
            img,
            size[::-1],
            interpolation=self.interpolation,
            backend=self.backend,
        )

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(short_side={self.short_side}, '
            f'scale={self.scale}, ratio_range={self.ratio_range}, '
            f'interpolation={self.interpolation!r}, '
            f'backend={self.backend!r}, max_pixels={self.max_pixels})'
        )
