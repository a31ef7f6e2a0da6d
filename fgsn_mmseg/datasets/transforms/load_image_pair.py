from __future__ import annotations

import io

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image

from fgsn_mmseg.geometry import resize_points

from ..image_file import AS_STORED, decode_image, read_bytes
from ..name_list import similar_images
from ._pair_keys import SUFFIXES

# What libjpeg can leave out while it decodes.
_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION,
    4: cv2.IMREAD_REDUCED_COLOR_4 | cv2.IMREAD_IGNORE_ORIENTATION,
    2: cv2.IMREAD_REDUCED_COLOR_2 | cv2.IMREAD_IGNORE_ORIENTATION,
}


@TRANSFORMS.register_module()
class LoadImagePair(BaseTransform):
    """Read the reference image and, where there is one, the target image.

    Pixels are taken as stored: EXIF orientation is ignored, as in COLMAP and
    in the published correspondences. Where an image is not there but one of
    the same stem is (``.png`` in the list, ``.jpg`` on disk), that is read.

    Required Keys:

    - img_path
    - img_path2 (optional)
    - points, points2 (optional)

    Modified Keys:

    - points, points2: only with ``min_short_side``.
    - img_path, img_path2: only where another file was read.

    Added Keys (with the suffix 2 for the target image):

    - img (np.ndarray): (H, W, 3) uint8, BGR.
    - img_shape, ori_shape (tuple): (H, W).
    - scale_factor (tuple): (w, h), only with ``min_short_side``.

    Args:
        to_float32 (bool): Turn the pixels into float32. Defaults to False.
        color_type (str): Flag of :func:`mmcv.imfrombytes`. Defaults to
            'color_ignore_orientation'.
        imdecode_backend (str): Backend of :func:`mmcv.imfrombytes`. Defaults
            to 'cv2'.
        backend_args (dict, optional): Arguments of mmengine's file backend.
            Defaults to None.
        min_short_side (int, optional): Decode a JPEG at a half, a quarter or
            an eighth, averaged, where its short side stays as long as this;
            points follow. Saves time where photos are at least twice as
            large as the next transform needs. Defaults to None: never.

    Raises:
        ValueError: ``min_short_side`` with another decoder than OpenCV's, or
            for other images than colour.
    """

    def __init__(
        self,
        to_float32: bool = False,
        color_type: str = AS_STORED,
        imdecode_backend: str = 'cv2',
        backend_args: dict | None = None,
        min_short_side: int | None = None,
    ) -> None:
        decoder = (imdecode_backend, color_type)
        if min_short_side is not None and decoder != ('cv2', AS_STORED):
            raise ValueError(
                "`imdecode_backend` and `color_type` should be 'cv2' and "
                f'{AS_STORED!r} with `min_short_side`, but got {decoder!r}. '
                'Leave out `min_short_side` to decode whole images.'
            )
        self.min_short_side = min_short_side
        self.to_float32 = to_float32
        self.color_type = color_type
        self.imdecode_backend = imdecode_backend
        self.backend_args = backend_args.copy() if backend_args else None

    def transform(self, results: dict) -> dict:
        """Read the images whose paths are there."""
        for suffix in SUFFIXES:
            if suffix and f'img_path{suffix}' not in results:
                continue
            img, ratio, ori_shape = self._load(suffix, results)
            results[f'img{suffix}'] = img
            results[f'img_shape{suffix}'] = img.shape[:2]
            results[f'ori_shape{suffix}'] = ori_shape or img.shape[:2]
            if ratio > 1:
                results[f'scale_factor{suffix}'] = (1 / ratio, 1 / ratio)
                points = results.get(f'points{suffix}')
                if points is not None:
                    # A pixel is the mean of ratio x ratio pixels.
                    moved = resize_points(points, 1 / ratio)
                    results[f'points{suffix}'] = moved.astype(points.dtype)
        return results

    def _load(
        self, suffix: str, results: dict
    ) -> tuple[np.ndarray, int, tuple[int, int] | None]:
        """The image, what its size was divided by, and (H, W) before."""
        name = f'img_path{suffix}'
        try:
            data = self._read(name, results)
            ratio, ori_shape = self._reduction(data)
            img = decode_image(
                data,
                results[name],
                _REDUCED.get(ratio, self.color_type),
                self.imdecode_backend,
                name,
            )
        except (FileNotFoundError, ValueError) as error:
            if 'corr_path' not in results:
                raise
            source = f'Named in {results["corr_path"]!r}.'
            raise type(error)(f'{error} {source}') from error
        if self.to_float32:
            img = img.astype(np.float32)
        return img, ratio, ori_shape

    def _read(self, name: str, results: dict) -> bytes:
        try:
            return read_bytes(results[name], self.backend_args, name)
        except FileNotFoundError as error:
            found = similar_images(results[name])
            if len(found) != 1:
                several = f' Fitting are {", ".join(found)}.' if found else ''
                raise FileNotFoundError(f'{error}{several}') from error
        results[name] = found[0]
        return read_bytes(found[0], self.backend_args, name)

    def _reduction(self, data: bytes) -> tuple[int, tuple[int, int] | None]:
        """What to divide the size by, and if by more than 1, (H, W) before."""
        if self.min_short_side is None:
            return 1, None
        try:
            # Reads the header only.
            with Image.open(io.BytesIO(data)) as image:
                if image.format != 'JPEG':
                    return 1, None
                width, height = image.size
        except (OSError, ValueError, SyntaxError):
            return 1, None  # OpenCV is to judge.
        for ratio in _REDUCED:
            if min(width, height) >= ratio * self.min_short_side:
                return ratio, (height, width)
        return 1, None

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(to_float32={self.to_float32}, '
            f'color_type={self.color_type!r}, '
            f'imdecode_backend={self.imdecode_backend!r}, '
            f'backend_args={self.backend_args}, '
            f'min_short_side={self.min_short_side})'
        )
