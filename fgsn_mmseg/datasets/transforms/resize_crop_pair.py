from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from fgsn_mmseg.geometry import crop_to_image, resize_scale

from .random_crop_pair import RandomCropPair
from .resize_pair import ResizePair


@TRANSFORMS.register_module()
class ResizeCropPair(BaseTransform):
    """ResizePair, then RandomCropPair; only the crop is resized.

    Same draws, same points, same keys and, but for rounding, the same pixels
    as the two one after the other with bilinear interpolation, in less time.

    Required Keys:

    - img and / or img2
    - points, points2, point_weights (optional)

    Modified Keys (with the suffix 2 for the target image):

    - img
    - img_shape
    - points, point_weights (optional)

    Added Keys (with the suffix 2 for the target image):

    - scale_factor (tuple): (w, h) from the original to the resized image.

    Args:
        crop_size (int or tuple[int]): See :class:`RandomCropPair`. Defaults
            to 713.
        short_side (int): See :class:`ResizePair`. Defaults to 1024.
        scale (tuple[int], optional): See :class:`ResizePair`. Defaults to
            None.
        ratio_range (tuple[float], optional): See :class:`ResizePair`.
            Defaults to None.
        pad_val (float or tuple[float]): See :class:`RandomCropPair`. Defaults
            to 0.
    """

    def __init__(
        self,
        crop_size: int | tuple[int, int] = 713,
        short_side: int = 1024,
        scale: tuple[int, int] | None = None,
        ratio_range: tuple[float, float] | None = None,
        pad_val: float | tuple[float, ...] = 0,
    ) -> None:
        self.resize = _ResizeLater(short_side, scale, ratio_range)
        self.crop = RandomCropPair(crop_size, pad_val)

    def transform(self, results: dict) -> dict:
        """Resize and crop the images that are there."""
        return self.crop.transform(self.resize.transform(results))

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(resize={self.resize}, '
            f'crop={self.crop})'
        )


class _ResizeLater(ResizePair):
    """Moves the points; the images wait for the crop."""

    def _resize(self, img: np.ndarray, size: tuple[int, int]) -> ResizedView:
        return ResizedView(img, size)


class ResizedView:
    """An image resized bilinearly, at a slice's request.

    ``view[y : y + h, x : x + w]`` is that part of the image resized as a
    whole, computed by itself: no pixel differs by more than one grey level.

    Args:
        image (np.ndarray): (H, W, C) or (H, W).
        size (tuple[int]): (height, width) of the resized image.
    """

    def __init__(self, image: np.ndarray, size: tuple[int, int]) -> None:
        self.image = image
        self.shape = (*size, *image.shape[2:])
        self.dtype = image.dtype

    def __getitem__(self, part: tuple[slice, slice]) -> np.ndarray:
        """The part between the bounds of two slices, rows first."""
        (top, bottom, _), (left, right, _) = (
            axis.indices(length) for axis, length in zip(part, self.shape)
        )
        scale = resize_scale(self.image.shape, self.shape)
        return cv2.warpAffine(
            self.image,
            crop_to_image((top, left), scale),
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            # As in cv2.resize: half a pixel beyond the outer centres.
            borderMode=cv2.BORDER_REPLICATE,
        )
