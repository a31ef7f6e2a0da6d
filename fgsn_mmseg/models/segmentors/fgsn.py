from __future__ import annotations

from typing import Any

import torch
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.utils import add_prefix
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...clustering import Codebook
from ...inference import BlendedMap, blend_windows, whole
from ..decode_heads import (
    check_head,
    features_and_logits,
    redraw_classifier,
    tapped,
    with_classes,
)
from ..losses import dense_loss
from .pair_prediction import predict_pair
from .sides import draw_sides, fill, scatter
from .teacher import Teacher


@MODELS.register_module()
class FGSN(EncoderDecoder):
    """Fine-Grained Segmentation Network: any mmseg segmentor, own labels.

    Takes the parts of any :class:`EncoderDecoder`; the heads get
    ``num_clusters`` classes. The labels come from a frozen teacher and a
    codebook that :class:`~fgsn_mmseg.engine.ClusteringHook` puts in place;
    both are part of the state dict once they exist. All other parameter
    names are those of ``EncoderDecoder``. Paper: section 3; every default is
    the paper's value.

    Args:
        backbone: See :class:`EncoderDecoder`.
        decode_head: The same; its ``num_classes`` is overruled.
        num_clusters: K, number of labels.
        neck: See :class:`EncoderDecoder`.
        auxiliary_head: A head or a list of them; their ``num_classes`` is
            overruled.
        feature_layer: Inner layer of the decode head whose output is
            clustered, e.g. ``'bottleneck.bn'`` (the paper: before ReLU).
            Defaults to None, what enters ``conv_seg``.
        auxiliary_feature_layer: The same of the auxiliary heads, for
            ``loss_feat`` only.
        pca_dim: Dimensions kept by the PCA; all if there are fewer.
        w_corr: Weight of ``loss_corr``.
        w_seg: Weight of ``loss_seg``.
        w_feat: Weight of ``loss_feat``.
        aux_weight: Further weight of the auxiliary heads' losses.
        fraction_reference: Probability that a pair's gradient goes through
            the reference, else through the target. None: through both.
        norm_eval: Keep BatchNorm's running statistics frozen.
        grid: How cells cover the image, see
            :mod:`fgsn_mmseg.models.points`. Defaults to what the decode
            head's ``align_corners`` says.
        loss_corr: Config of the correspondence loss.
        loss_feat: Config of the feature loss.
        **kwargs: Passed on to :class:`EncoderDecoder`.
    """

    codebook: Codebook | None
    teacher: Teacher | None

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        num_clusters: int,
        neck: dict | None = None,
        auxiliary_head: dict | list[dict] | None = None,
        feature_layer: str | None = None,
        auxiliary_feature_layer: str | None = None,
        pca_dim: int = 256,
        w_corr: float = 1.0,
        w_seg: float = 1.0,
        w_feat: float = 0.0,
        aux_weight: float = 0.4,
        fraction_reference: float | None = 0.5,
        norm_eval: bool = True,
        grid: str | None = None,
        loss_corr: dict | None = None,
        loss_feat: dict | None = None,
        **kwargs: Any,
    ) -> None:
        if num_clusters < 2:
            raise ValueError(
                f'`num_clusters` should be at least 2, but got {num_clusters}.'
            )
        if fraction_reference is not None and not 0 <= fraction_reference <= 1:
            raise ValueError(
                '`fraction_reference` should be in [0, 1] or None (both '
                f'images), but got {fraction_reference}.'
            )
        super().__init__(
            backbone,
            with_classes(decode_head, num_clusters),
            neck=neck,
            auxiliary_head=with_classes(auxiliary_head, num_clusters),
            **kwargs,
        )
        self.num_clusters = num_clusters
        self.feature_layer = feature_layer
        self.auxiliary_feature_layer = auxiliary_feature_layer
        self.pca_dim = pca_dim
        self.w_corr = w_corr
        self.w_seg = w_seg
        self.w_feat = w_feat
        self.aux_weight = aux_weight
        self.fraction_reference = fraction_reference
        self.norm_eval = norm_eval
        self.grid = grid or ('corners' if self.align_corners else 'centers')
        self.loss_corr = MODELS.build(
            {
                'type': 'CorrespondenceLoss',
                'grid': self.grid,
                **(loss_corr or {}),
            }
        )
        self.loss_feat = MODELS.build(
            {
                'type': 'FeatureHingeLoss',
                'grid': self.grid,
                **(loss_feat or {}),
            }
        )
        for name, head, layer, _ in self.named_heads():
            check_head(head, layer, name)
        # Source of the draws of a training step; the hook seeds it from the
        # iteration, so that a resumed run draws the same.
        self.generator = torch.Generator()
        self.register_module('codebook', None)
        self.register_module('teacher', None)

    def named_heads(self) -> list[tuple[str, nn.Module, str | None, float]]:
        """All heads: mmseg's log prefix, head, feature layer, weight."""
        heads = [('decode', self.decode_head, self.feature_layer, 1.0)]
        if not self.with_auxiliary_head:
            return heads
        layer, weight = self.auxiliary_feature_layer, self.aux_weight
        if isinstance(self.auxiliary_head, nn.ModuleList):
            return heads + [
                (f'aux_{index}', head, layer, weight)
                for index, head in enumerate(self.auxiliary_head)
            ]
        return heads + [('aux', self.auxiliary_head, layer, weight)]

    def train(self, mode: bool = True) -> FGSN:
        """Set the mode; with ``norm_eval`` BatchNorm stays in eval mode."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    # ------------------------------------------------------------ labels

    def set_codebook(self, codebook: Codebook) -> None:
        """Make the labels of a clustering those of the coming iterations.

        Args:
            codebook: Fitted to features of the student as it is now; the
                teacher becomes a copy of that student.
        """
        device = next(self.parameters()).device
        self.codebook = codebook.to(device)
        self.teacher = Teacher(self, self.feature_layer)

    def redraw_classifiers(
        self, generator: torch.Generator, std: float = 0.01
    ) -> list[nn.Parameter]:
        """Draw the classifiers of all heads anew; return their parameters."""
        drawn: list[nn.Parameter] = []
        for _, head, _, _ in self.named_heads():
            drawn += redraw_classifier(head, generator, std)
        return drawn

    def label_maps(self, images: Tensor) -> Tensor:
        """Teacher's cluster labels (B, h, w) of images (B, 3, H, W)."""
        if self.codebook is None or self.teacher is None:
            raise RuntimeError(
                'FGSN has no labels to learn yet. Add '
                "dict(type='ClusteringHook', ...) to `custom_hooks`, or "
                'resume from a checkpoint of an FGSN in training.'
            )
        with torch.inference_mode():
            labels = self.codebook.assign_map(self.teacher(images))
        return labels.clone()  # autograd takes no inference tensors

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Make room for a codebook and a teacher where the state has them."""
        centroids = state_dict.get(f'{prefix}codebook.centroids')
        if centroids is not None:
            if len(centroids) != self.num_clusters:
                raise ValueError(
                    f'`num_clusters` should be {len(centroids)} as in the '
                    f'checkpoint, but got {self.num_clusters}. To start '
                    'another number of clusters from it, strip its labels '
                    'with tools/model_converters/publish_model.py first.'
                )
            channels, dim = state_dict[f'{prefix}codebook.pca_matrix'].shape
            self.set_codebook(Codebook(self.num_clusters, channels, dim))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    # ---------------------------------------------------------- training

    def loss(
        self, inputs: dict[str, Tensor], data_samples: list
    ) -> dict[str, Tensor]:
        """Losses of a batch of pairs.

        Args:
            inputs: ``img`` and ``img2``, (B, 3, H, W) each.
            data_samples: B samples with ``points`` and ``points2``.

        Returns:
            ``<head>.loss_seg``, ``.loss_corr`` and ``.loss_feat`` of every
            head, weighted; those of weight 0 are left out.
        """
        if not isinstance(inputs, dict):
            raise TypeError(
                'FGSN trains on pairs, but got single images. Use a '
                'CorrespondenceDataset with PackPairInputs, and '
                'PairDataPreProcessor as `data_preprocessor`.'
            )
        img, img2 = inputs['img'], inputs['img2']
        if img.shape != img2.shape:
            raise ValueError(
                'Both images of a training pair should be of one size, but '
                f'got {tuple(img.shape)} and {tuple(img2.shape)}. Add '
                'RandomCropPair to the training pipeline.'
            )
        # The feature loss alone needs no labels: a base network can be
        # trained with it before there are any.
        labels = None
        if self.w_seg or self.w_corr:
            labels = self.label_maps(img)
        points = [sample.points for sample in data_samples]
        points2 = [sample.points2 for sample in data_samples]
        # Only the dense loss looks at the reference alone: without the other
        # losses the target carries nothing.
        fraction = self.fraction_reference
        if not self.w_corr and not self.w_feat:
            fraction = 1.0
        chosen = draw_sides(len(img), fraction, self.generator).to(img.device)
        both = torch.stack([img, img2], 1)
        maps = self.extract_feat(both[chosen])
        others = None
        if self.w_feat and not chosen.all():
            with torch.no_grad():
                others = self.extract_feat(both[~chosen])
        where = dict(
            points=points, points2=points2, crop_size=tuple(img.shape[-2:])
        )
        losses: dict[str, Tensor] = {}
        for name, head, layer, weight in self.named_heads():
            features, logits = features_and_logits(head, maps, layer)
            sides = scatter(logits, chosen)
            own: dict[str, Tensor] = {}
            if self.w_seg:
                seg = dense_loss(sides[0], labels, self.grid)
                own['loss_seg'] = self.w_seg * weight * seg
            if self.w_corr:
                corr = self.loss_corr(*sides, label_map=labels, **where)
                own['loss_corr'] = self.w_corr * weight * corr
            if self.w_feat:
                pair = scatter(features, chosen)
                if others is not None:
                    with torch.no_grad(), tapped(head, layer) as rest:
                        head(others)
                    fill(pair, rest[-1], ~chosen)
                feat = self.loss_feat(*pair, generator=self.generator, **where)
                own['loss_feat'] = self.w_feat * weight * feat
            losses.update(add_prefix(own, name))
        return losses

    # -------------------------------------------------------- prediction

    def student_features(self, images: Tensor) -> Tensor:
        """Features (B, C, h, w) of images (B, 3, H, W), as clustered."""
        maps = self.extract_feat(images)
        with tapped(self.decode_head, self.feature_layer) as features:
            self.decode_head(maps)
        return features[-1]

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
        )

    def predict(
        self,
        inputs: Tensor | dict[str, Tensor],
        data_samples: list | None = None,
    ) -> list:
        """Predict single images as mmseg does, or evaluate pairs.

        Args:
            inputs: Images (B, 3, H, W), or ``img`` and ``img2`` of pairs.
            data_samples: B samples.

        Returns:
            The samples with ``pred_sem_seg``; those of pairs with what
            :func:`~.pair_prediction.predict_pair` adds.
        """
        if not isinstance(inputs, dict):
            return super().predict(inputs, data_samples)
        if data_samples is None:
            raise ValueError('Pairs need `data_samples` with their points.')
        for index, sample in enumerate(data_samples):
            pair = [inputs[key][index : index + 1] for key in ('img', 'img2')]
            predict_pair(self, pair[0], pair[1], sample)
        return data_samples
