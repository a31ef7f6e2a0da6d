from __future__ import annotations

from typing import Any

import torch
from mmseg.models import CascadeEncoderDecoder, EncoderDecoder
from torch import Tensor, nn

from ...inference import BlendedMap, blend_windows, whole
from ..decode_heads import (
    ClusterHead,
    HeadMaps,
    auxiliaries_of,
    freeze_parts_without_labels,
    run_stages,
    stages_of,
    with_clusters,
)
from .image_prediction import predict_images, reduce_results


class ClusterSegmentor(CascadeEncoderDecoder):
    """Any segmentor of mmseg with K classes, seen as features and logits.

    It is what :class:`EncoderDecoder` makes of a single decode head and
    :class:`CascadeEncoderDecoder` of a list; parameter names are theirs.

    Predicting an image holds no full-size maps of K clusters. ``test_cfg``
    may have, besides mmseg's keys:

    - ``blending``: weights of windows, ``'ramp'`` (default, the paper's) or
      ``'uniform'`` (mmseg's).
    - ``exact``: mmseg's own inference, full-size maps and all.
    - ``seg_logits``: the same, and these maps are in the results, as mmseg's
      test-time augmentation needs them.
    - ``confidence``: ``confidence`` is in the results, the probabilities of
      the winner and of the runner-up of every pixel.

    The last three are off by default. A network that refines its logits
    beyond their resolution (PointRend) always takes mmseg's way.

    Args:
        decode_head: Config of the head, or of each stage of a cascade.
        num_clusters: K; overrules the heads' ``num_classes``.
        backbone: See :class:`EncoderDecoder`.
        num_stages: Number of decode heads of a cascade.
        auxiliary_head: A head or a list of them.
        feature_layer: See :class:`FGSN`.
        auxiliary_feature_layer: See :class:`FGSN`.
        aux_weight: See :class:`FGSN`.
        **kwargs: Passed on to :class:`EncoderDecoder`.
    """

    def __init__(
        self,
        *,
        decode_head: dict | list[dict],
        num_clusters: int,
        backbone: dict | None = None,
        num_stages: int = 1,
        auxiliary_head: dict | list[dict] | None = None,
        feature_layer: str | None = None,
        auxiliary_feature_layer: str | None = None,
        aux_weight: float = 0.4,
        **kwargs: Any,
    ) -> None:
        if num_clusters < 2:
            raise ValueError(
                f'`num_clusters` should be at least 2, but got {num_clusters}.'
            )
        super().__init__(
            num_stages,
            decode_head=with_clusters(decode_head, num_clusters),
            backbone=backbone,
            auxiliary_head=with_clusters(auxiliary_head, num_clusters),
            **kwargs,
        )
        self.num_clusters = num_clusters
        self.feature_layer = feature_layer
        self.auxiliary_feature_layer = auxiliary_feature_layer
        self.aux_weight = aux_weight
        for head in self.cluster_heads():
            head.check()
        for module in self.modules():
            freeze_parts_without_labels(module)

    # -------------------------------------------- one head or a cascade

    def _init_decode_head(self, decode_head: Any) -> None:
        if isinstance(decode_head, list):
            super()._init_decode_head(decode_head)
        else:
            EncoderDecoder._init_decode_head(self, decode_head)

    @property
    def _plain(self) -> Any:
        """The class in mmseg of a segmentor of this shape."""
        cascade = isinstance(self.decode_head, nn.ModuleList)
        return CascadeEncoderDecoder if cascade else EncoderDecoder

    def encode_decode(self, inputs: Tensor, batch_img_metas: list) -> Tensor:
        """Logits (B, K, H, W) of images, as the plain segmentor's."""
        return self._plain.encode_decode(self, inputs, batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Any:
        return self._plain._forward(self, inputs, data_samples)

    # ------------------------------------------------------------- heads

    def decode_stages(self) -> list[ClusterHead]:
        """Views on the decode heads, the main one last."""
        return stages_of(
            self.decode_head,
            self.feature_layer,
            self.auxiliary_feature_layer,
            self.aux_weight,
        )

    def auxiliary_heads(self) -> list[ClusterHead]:
        """Views on the auxiliary heads that predict labels."""
        if not self.with_auxiliary_head:
            return []
        return auxiliaries_of(
            self.auxiliary_head, self.auxiliary_feature_layer, self.aux_weight
        )

    def cluster_heads(self) -> list[ClusterHead]:
        """Views on all heads that predict labels, the decode heads first."""
        return self.decode_stages() + self.auxiliary_heads()

    def run_heads(self, maps: Any) -> list[tuple[ClusterHead, HeadMaps]]:
        """Run all heads that predict labels on the backbone's maps."""
        stages = self.decode_stages()
        heads = list(zip(stages, run_stages(stages, maps)))
        return heads + [(head, head(maps)) for head in self.auxiliary_heads()]

    def redraw_classifiers(
        self, generator: torch.Generator, std: float = 0.01
    ) -> list[nn.Parameter]:
        """Draw the classifiers of all heads anew; return their parameters."""
        drawn: list[nn.Parameter] = []
        for head in self.cluster_heads():
            drawn += head.redraw(generator, std)
        return drawn

    # -------------------------------------------------------- prediction

    def student_maps(self, images: Tensor) -> HeadMaps:
        """What the last decode head makes of images (B, 3, H, W)."""
        return run_stages(self.decode_stages(), self.extract_feat(images))[-1]

    def student_features(self, images: Tensor) -> Tensor:
        """Features (B, C, h, w) of images (B, 3, H, W), as clustered."""
        return self.student_maps(images).features

    def student_logits(self, images: Tensor) -> Tensor:
        """Logits (B, K, h, w) of images (B, 3, H, W)."""
        return self.student_maps(images).logits

    def asks_for(self, name: str) -> bool:
        """Whether ``test_cfg`` asks for an option that is off by default."""
        return bool((self.test_cfg or {}).get(name, False))

    def over_windows(self, network: Any, images: Tensor) -> BlendedMap:
        """Run ``network`` over whole images as ``test_cfg`` says."""
        config = self.test_cfg or {}
        if config.get('mode', 'whole') == 'whole':
            return whole(network, images, self.align_corners)
        return blend_windows(
            network,
            images,
            tuple(config['crop_size']),
            tuple(config['stride']),
            self.align_corners,
            config.get('blending', 'ramp'),
        )

    def predict(self, inputs: Any, data_samples: list | None = None) -> list:
        """Predict the label map of each image.

        Args:
            inputs: Images (B, 3, H, W).
            data_samples: B samples, or None.

        Returns:
            The samples with ``pred_sem_seg`` (1, h, w) int64 at
            ``ori_shape``, and what ``test_cfg`` asks for.
        """
        refines = self.decode_stages()[-1].refines
        if refines or self.asks_for('exact') or self.asks_for('seg_logits'):
            samples = super().predict(inputs, data_samples)
            return reduce_results(self, samples)
        return predict_images(self, inputs, data_samples)
