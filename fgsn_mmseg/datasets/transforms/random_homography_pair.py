from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomHomographyPair(BaseTransform):
    """Make a pair of one image: its second is seen by a random homography.

    Follow it by photometric transforms that draw for each image by itself
    (``TransformBroadcaster`` with ``share_random_params=False``).

    Required Keys:

    - img
    - img_path (optional)

    Added Keys:

    - img2 (np.ndarray): Warped image, of the size of ``img``; black where
      the view leaves it.
    - img_path2, img_shape2, ori_shape2
    - points, points2 (np.ndarray): (N, 2) float32 xy, 0 = centre of the
      first pixel, all of them in both images.
    - point_weights (np.ndarray): (N,) float32, all 1.

    Args:
        num_points (int): Points drawn; those that leave the second image
            are dropped. Defaults to 500.
        shift (float): Each corner moves by up to this share of the sides.
            Defaults to 0.15.
        angle (float): Degrees of rotation at most. Defaults to 20.
        scale_range (tuple): Range of the zoom, drawn evenly on a
            logarithmic scale. Defaults to (0.7, 1.4).
        seed (int, optional): Draw from this and ``sample_idx`` instead of
            numpy's global state: the same pairs at every validation.
            Defaults to None.

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(
        self,
        num_points: int = 500,
        shift: float = 0.15,
        angle: float = 20.0,
        scale_range: tuple[float, float] = (0.7, 1.4),
        seed: int | None = None,
    ) -> None:
        if num_points < 1:
            raise ValueError(
                f'`num_points` should be at least 1, but got {num_points!r}.'
            )
        # From 0.25 on corners may cross, and the image fold over.
        if not 0 <= shift < 0.25:
            raise ValueError(
                f'`shift` should be in [0, 0.25), but got {shift!r}.'
            )
        if not 0 < scale_range[0] <= scale_range[1]:
            raise ValueError(
                '`scale_range` should be two numbers above 0, the smaller '
                f'first, but got {scale_range!r}.'
            )
        self.num_points = num_points
        self.shift = shift
        self.angle = angle
        self.scale_range = tuple(scale_range)
        self.seed = seed

    @cache_randomness
    def _draw(self, sample_idx: int) -> np.ndarray:
        """Numbers in [0, 1): 8 of the corners, angle, zoom, and points."""
        count = 10 + 2 * self.num_points
        if self.seed is None:
            return np.random.uniform(size=count)
        return np.random.default_rng([self.seed, sample_idx]).random(count)

    def transform(self, results: dict) -> dict:
        """Warp, and draw points."""
        img = results['img']
        height, width = img.shape[:2]
        draws = self._draw(int(results.get('sample_idx', 0)))
        matrix = self._homography(draws[:10], width, height)
        results['img2'] = cv2.warpPerspective(
            img, matrix, (width, height), flags=cv2.INTER_LINEAR
        )
        size = np.array([width, height], dtype=np.float64)
        points = draws[10:].reshape(-1, 2) * (size - 1)
        points2 = cv2.perspectiveTransform(points[None], matrix)[0]
        inside = ((points2 >= 0) & (points2 <= size - 1)).all(axis=1)
        results['points'] = points[inside].astype(np.float32)
        results['points2'] = points2[inside].astype(np.float32)
        results['point_weights'] = np.ones(int(inside.sum()), np.float32)
        results['img_shape2'] = results['ori_shape2'] = (height, width)
        if 'img_path' in results:
            results['img_path2'] = results['img_path']
        return results

    def _homography(
        self, draws: np.ndarray, width: int, height: int
    ) -> np.ndarray:
        """Homography (3, 3) between pixel coordinates of both images."""
        corners = np.array(
            [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]],
            dtype=np.float64,
        )
        centre = corners.mean(axis=0)
        moved = corners + (draws[:8].reshape(4, 2) * 2 - 1) * self.shift * [
            width,
            height,
        ]
        turn = np.radians((draws[8] * 2 - 1) * self.angle)
        low, high = np.log(self.scale_range)
        zoom = np.exp(low + draws[9] * (high - low))
        cosine, sine = np.cos(turn) * zoom, np.sin(turn) * zoom
        rotation = np.array([[cosine, -sine], [sine, cosine]])
        moved = (moved - centre) @ rotation.T + centre
        return cv2.getPerspectiveTransform(
            corners.astype(np.float32), moved.astype(np.float32)
        )

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(num_points={self.num_points}, '
            f'shift={self.shift}, angle={self.angle}, '
            f'scale_range={self.scale_range}, seed={self.seed})'
        )
