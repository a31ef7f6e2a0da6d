from __future__ import annotations

import torch
from mmseg.structures import SegDataSample


class PairDataSample(SegDataSample):
    """Sample of an image pair: mmseg's sample plus the correspondences.

    The reference image comes first; what belongs to the target image has the
    suffix ``2``. Data fields beside those of
    :class:`~mmseg.structures.SegDataSample`:

    - ``points`` (Tensor): (N, 2) float32, x then y of the correspondences in
      the reference image, in pixels of the network input; 0 is the centre of
      the first pixel.
    - ``points2`` (Tensor): (N, 2) float32, the same in the target image.
    - ``point_weights`` (Tensor): (N,) float32 in (0, 1], the weight of each
      correspondence.

    Metainfo holds ``img_path``, ``ori_shape``, ``img_shape``,
    ``scale_factor`` and so on, each also with the suffix ``2``.

    Example:
        >>> import torch
        >>> from fgsn_mmseg.structures import PairDataSample
        >>> sample = PairDataSample(metainfo=dict(img_shape=(4, 6)))
        >>> sample.points = torch.tensor([[1.5, 2.0]])
        >>> sample.points2 = torch.tensor([[0.5, 2.0]])
        >>> sample.points.shape
        torch.Size([1, 2])
    """

    @property
    def points(self) -> torch.Tensor:
        """(N, 2) float32 xy in the reference image."""
        return self._points

    @points.setter
    def points(self, value: torch.Tensor) -> None:
        self.set_field(value, '_points', dtype=torch.Tensor)

    @points.deleter
    def points(self) -> None:
        del self._points

    @property
    def points2(self) -> torch.Tensor:
        """(N, 2) float32 xy in the target image."""
        return self._points2

    @points2.setter
    def points2(self, value: torch.Tensor) -> None:
        self.set_field(value, '_points2', dtype=torch.Tensor)

    @points2.deleter
    def points2(self) -> None:
        del self._points2

    @property
    def point_weights(self) -> torch.Tensor:
        """(N,) float32 weights of the correspondences."""
        return self._point_weights

    @point_weights.setter
    def point_weights(self, value: torch.Tensor) -> None:
        self.set_field(value, '_point_weights', dtype=torch.Tensor)

    @point_weights.deleter
    def point_weights(self) -> None:
        del self._point_weights
