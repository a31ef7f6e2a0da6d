from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models import CascadeEncoderDecoder, EncoderDecoder
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ...datasets import cluster_palette
from ...inference import BlendedMap, blend_windows, whole
from ..decode_heads import (
    ClusterHead,
    HeadMaps,
    as_cluster_heads,
    run_stages,
    without_labels,
)
from ..pair_figures import ImageMaps
from .image_prediction import label_image


class ClusterSegmentor(CascadeEncoderDecoder):
    """Any segmentor of mmseg with cluster heads, seen as features and logits.

    It is what :class:`EncoderDecoder` makes of a single decode head and
    :class:`CascadeEncoderDecoder` of a list; parameter names are theirs.
    Every head that can is a :class:`ClusterHead`; a head without labels
    (STDC's boundaries) is frozen.

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
        num_clusters: K.
        backbone: See :class:`EncoderDecoder`.
        num_stages: Number of decode heads of a cascade.
        auxiliary_head: A head or a list of them.
        head_options: Of the heads that are not a ``ClusterHead`` yet, see
            :func:`~fgsn_mmseg.models.decode_heads.as_cluster_heads`.
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
        head_options: dict | None = None,
        **kwargs: Any,
    ) -> None:
        options = head_options or {}
        heads = dict(
            decode_head=as_cluster_heads(decode_head, num_clusters, **options),
            auxiliary_head=as_cluster_heads(
                auxiliary_head, num_clusters, main=False, **options
            ),
        )
        check_keys(kwargs, type(self))
        super().__init__(num_stages, backbone=backbone, **heads, **kwargs)
        self.num_clusters = num_clusters
        for module in self.modules():
            if without_labels(type(module)):
                module.requires_grad_(False)

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

    def decode_stages(self) -> dict[str, ClusterHead]:
        """The decode heads by their names in the losses, the main one last."""
        head: Any = self.decode_head
        if not isinstance(head, nn.ModuleList):
            return {'decode': head}
        stages: list[Any] = list(head)
        return {f'decode_{i}': one for i, one in enumerate(stages)}

    def auxiliary_heads(self) -> dict[str, ClusterHead]:
        """The auxiliary heads that predict labels."""
        if not self.with_auxiliary_head:
            return {}
        head: Any = self.auxiliary_head
        heads = {'aux': head}
        if isinstance(head, nn.ModuleList):
            heads = {f'aux_{index}': one for index, one in enumerate(head)}
        return {
            name: one
            for name, one in heads.items()
            if isinstance(one, ClusterHead)
        }

    def cluster_heads(self) -> dict[str, ClusterHead]:
        """All heads that predict labels, the decode heads first."""
        return {**self.decode_stages(), **self.auxiliary_heads()}

    @property
    def main_head(self) -> ClusterHead:
        """The (last) decode head: its features are clustered."""
        return list(self.decode_stages().values())[-1]

    def run_heads(self, images: Tensor) -> dict[str, HeadMaps]:
        """Maps of all heads with a loss of images (B, 3, H, W), by name."""
        inputs = self.extract_feat(images)
        stages = self.decode_stages()
        maps = dict(zip(stages, run_stages(list(stages.values()), inputs)))
        for name, head in self.auxiliary_heads().items():
            if head.learns:
                maps[name] = head.cluster_maps(inputs)
        return maps

    def redraw_classifiers(
        self, generator: torch.Generator, std: float = 0.01
    ) -> list[nn.Parameter]:
        """Draw the classifiers of all heads anew; return their parameters."""
        drawn: list[nn.Parameter] = []
        for head in self.cluster_heads().values():
            drawn += head.redraw(generator, std)
        return drawn

    # -------------------------------------------------------- prediction

    @property
    def dataset_meta(self) -> dict[str, Any]:
        """Names and colours of the clusters, for mmseg's drawing.

        mmseg sets it from the checkpoint, that is, from a data set of pairs,
        which knows no classes.
        """
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict[str, Any] | None) -> None:
        self._dataset_meta = dict(meta or {})
        if len(self._dataset_meta.get('classes') or ()) != self.num_clusters:
            self._dataset_meta.update(
                classes=[str(index) for index in range(self.num_clusters)],
                palette=cluster_palette(self.num_clusters).tolist(),
            )

    def student_maps(self, images: Tensor) -> HeadMaps:
        """What the main head makes of images (B, 3, H, W)."""
        stages = list(self.decode_stages().values())
        return run_stages(stages, self.extract_feat(images))[-1]

    def clustering_features(self, images: Tensor) -> BlendedMap:
        """Features of whole images (B, 3, H, W), over windows."""
        return self.over_windows(
            lambda part: self.student_maps(part).features, images
        )

    def logit_map(self, images: Tensor) -> BlendedMap:
        """Logits of K clusters of whole images (B, 3, H, W), over windows."""
        return self.over_windows(
            lambda part: self.student_maps(part).logits, images
        )

    def image_maps(self, image: Tensor) -> ImageMaps:
        """Student's features and logits of one image (1, 3, H, W)."""

        def network(images: Tensor) -> Tensor:
            maps = self.student_maps(images)
            logits = maps.logits.to(maps.features.dtype)
            return torch.cat([maps.features, logits], 1)

        blended = self.over_windows(network, image)
        channels = blended.data.shape[1] - self.num_clusters
        return ImageMaps(
            blended.data[0, :channels],
            blended.data[0, channels:],
            blended.extent,
        )

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

    @torch.no_grad()
    def predict(self, inputs: Any, data_samples: list | None = None) -> list:
        """Predict the label map of each image.

        Args:
            inputs: Images (B, 3, H, W).
            data_samples: B samples, or None.

        Returns:
            The samples with ``pred_sem_seg`` (1, h, w) int64 at
            ``ori_shape``, and what ``test_cfg`` asks for.
        """
        confidence = self.asks_for('confidence')
        if (
            self.main_head.refines_points
            or self.asks_for('exact')
            or self.asks_for('seg_logits')
        ):
            samples = super().predict(inputs, data_samples)
            for sample in samples:
                if confidence:
                    logits = sample.seg_logits.data.float()
                    best = logits.softmax(0).topk(2, 0).values
                    sample.set_data({'confidence': PixelData(data=best)})
                if not self.asks_for('seg_logits'):
                    del sample.seg_logits
                sample.set_metainfo({'num_clusters': self.num_clusters})
            return samples
        samples = data_samples or [SegDataSample() for _ in inputs]
        maps = self.logit_map(inputs)
        size = tuple(inputs.shape[-2:])
        for logits, sample in zip(maps.data, samples):
            meta = sample.metainfo
            labels, best = label_image(maps, logits, size, meta, confidence)
            sample.set_metainfo({'num_clusters': self.num_clusters})
            sample.set_data({'pred_sem_seg': PixelData(data=labels[None])})
            if best is not None:
                sample.set_data({'confidence': PixelData(data=best)})
        return samples


def check_keys(given: Iterable[str], kind: type) -> None:
    """Raise TypeError for a key that neither mmseg nor we know."""
    known = set(inspect.signature(EncoderDecoder.__init__).parameters)
    for name in set(given) - known:
        for one in kind.__mro__[: kind.__mro__.index(EncoderDecoder)]:
            known.update(inspect.signature(one).parameters)
        close = difflib.get_close_matches(name, known, 1)
        meant = f'Did you mean `{close[0]}`?' if close else 'Leave it out.'
        raise TypeError(f'{kind.__name__} has no key `{name}`. {meant}')
