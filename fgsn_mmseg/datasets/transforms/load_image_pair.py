from __future__ import annotations

import mmcv
import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ._pair_keys import SUFFIXES


@TRANSFORMS.register_module()
class LoadImagePair(BaseTransform):
    """Read the reference image and, where there is one, the target image.

    Required Keys:

    - img_path
    - img_path2 (optional)

    Added Keys (with the suffix 2 for the target image):

    - img (np.ndarray): (H, W, 3) uint8, BGR.
    - img_shape, ori_shape (tuple): (H, W).

    Args:
        to_float32 (bool): Turn the pixels into float32. Defaults to False.
        color_type (str): Flag of :func:`mmcv.imfrombytes`. Defaults to
            'color'.
        imdecode_backend (str): Backend of :func:`mmcv.imfrombytes`. Defaults
            to 'cv2'.
        backend_args (dict, optional): Arguments of mmengine's file backend.
            Defaults to None.
    """

    def __init__(
        self,
        to_float32: bool = False,
        color_type: str = 'color',
        imdecode_backend: str = 'cv2',
        backend_args: dict | None = None,
    ) -> None:
        self.to_float32 = to_float32
        self.color_type = color_type
        self.imdecode_backend = imdecode_backend
        self.backend_args = backend_args.copy() if backend_args else None

    def transform(self, results: dict) -> dict:
        """Read the images whose paths are there."""
        for suffix in SUFFIXES:
            if suffix and f'img_path{suffix}' not in results:
                continue
            img = self._load(results[f'img_path{suffix}'], suffix, results)
            results[f'img{suffix}'] = img
            results[f'img_shape{suffix}'] = img.shape[:2]
            results[f'ori_shape{suffix}'] = img.shape[:2]
        return results

    def _load(self, path: str, suffix: str, results: dict) -> np.ndarray:
        source = results.get('corr_path')
        origin = f' (named in {source})' if source else ''
        try:
            data = fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'`img_path{suffix}` should be an image file, but got '
                f'{path!r}{origin}, which is not there. Check the folder of '
                "the images, `data_prefix['img_path']`."
            ) from error
        img = mmcv.imfrombytes(
            data, flag=self.color_type, backend=self.imdecode_backend
        )
        if img is None:
            raise ValueError(
                f'`img_path{suffix}` should be a readable image, but got '
                f'{path!r}{origin}. Fetch the file again.'
            )
        return img.astype(np.float32) if self.to_float32 else img

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(to_float32={self.to_float32}, '
            f'color_type={self.color_type!r}, '
            f'imdecode_backend={self.imdecode_backend!r}, '
            f'backend_args={self.backend_args})'
        )
