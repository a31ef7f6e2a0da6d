from __future__ import annotations

import os.path as osp

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ..pair_file import MAX_POINTS, read_pair_file


@TRANSFORMS.register_module()
class LoadCorrespondences(BaseTransform):
    """Read the correspondence file of a pair: the first transform.

    Required Keys:

    - corr_path
    - img_root
    - swap (optional)

    Added Keys:

    - img_path, img_path2 (str)
    - points, points2 (np.ndarray): (N, 2) float32 xy in pixels of the
      original images, 0 = centre of the first pixel.
    - point_weights (np.ndarray): (N,) float32, exp(-dist_from_center).

    With ``swap`` reference and target change places.

    Args:
        max_points (int): A file that declares more correspondences is
            refused before any is read. Defaults to 1,000,000.
    """

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        self.max_points = max_points

    def transform(self, results: dict) -> dict:
        """Add paths, points and weights."""
        pair = read_pair_file(results['corr_path'], self.max_points)
        first, second = ('2', '') if results.get('swap') else ('', '2')
        for suffix, source in (('', first), ('2', second)):
            img_path = pair[f'img_path{source}']
            results[f'img_path{suffix}'] = osp.join(
                results['img_root'], img_path
            )
            points = pair[f'points{source}']
            results[f'points{suffix}'] = points.astype(np.float32)
        weights = np.exp(-pair['dist_from_center'])
        results['point_weights'] = weights.astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(max_points={self.max_points})'
