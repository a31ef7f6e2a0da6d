from __future__ import annotations

from typing import Any

import torch
from mmseg.registry import MODELS
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ...clustering import Codebook
from .cluster_segmentor import ClusterSegmentor
from .pair_loss import pair_losses
from .pair_prediction import predict_pair
from .teacher import TEACHER_DTYPES, Teacher


@MODELS.register_module()
class FGSN(ClusterSegmentor):
    """Fine-Grained Segmentation Network: any mmseg segmentor, own labels.

    Takes the parts of any :class:`EncoderDecoder` or
    :class:`CascadeEncoderDecoder`; the heads get ``num_clusters`` classes.
    The labels come from a frozen teacher and a codebook that
    :class:`~fgsn_mmseg.engine.ClusteringHook` puts in place; both are part
    of the state dict once they exist. All other parameter names are those of
    the plain segmentor. Paper: section 3; every default is the paper's value.

    The features that are clustered are what enters the classifier of the
    (last) decode head. All classifiers with K outputs learn by the same
    losses: auxiliary heads, earlier stages of a cascade and the further
    classifiers of DANet, DDRNet and PIDNet with ``aux_weight``. The heads'
    ``loss_decode`` (with its class weights and samplers) is not used. What
    predicts something else than labels, boundaries in STDC and PIDNet and
    present classes in EncNet, stays as it is. For prediction see
    :class:`ClusterSegmentor`.

    Args:
        decode_head: Config of the head, or of each stage of a cascade; its
            ``num_classes`` is overruled.
        num_clusters: K, number of labels.
        feature_layer: Inner layer of the (last) decode head whose output is
            clustered, e.g. ``'bottleneck.bn'`` (the paper: before ReLU).
            Defaults to None, what enters the classifier.
        auxiliary_feature_layer: The same of the other heads, for
            ``loss_feat`` only.
        pca_dim: Dimensions kept by the PCA; all if there are fewer.
        w_corr: Weight of ``loss_corr``.
        w_seg: Weight of ``loss_seg``.
        w_feat: Weight of ``loss_feat``.
        aux_weight: Further weight of the losses of all but the main
            classifier.
        fraction_reference: Probability that a pair's gradient goes through
            the reference, else through the target. None: through both.
        norm_eval: Keep BatchNorm's running statistics frozen.
        grid: How cells cover the image, see
            :mod:`fgsn_mmseg.geometry`. Defaults to what the decode
            head's ``align_corners`` says.
        loss_corr: Config of the correspondence loss.
        loss_feat: Config of the feature loss.
        teacher_dtype: ``'bf16'`` or ``'fp16'``: the teacher computes in this
            precision, its weights stay float32. Defaults to None, the
            student's.
        channels_last: Lay out weights and maps with the channels last;
            often faster on GPUs in half precision. Same results but for
            rounding.
        **kwargs: Passed on to :class:`ClusterSegmentor`: ``backbone``,
            ``neck``, ``auxiliary_head``, ``num_stages``, ``test_cfg`` ...
    """

    codebook: Codebook | None
    teacher: Teacher | None

    def __init__(
        self,
        *,
        pca_dim: int = 256,
        w_corr: float = 1.0,
        w_seg: float = 1.0,
        w_feat: float = 0.0,
        fraction_reference: float | None = 0.5,
        norm_eval: bool = True,
        grid: str | None = None,
        loss_corr: dict | None = None,
        loss_feat: dict | None = None,
        teacher_dtype: str | None = None,
        channels_last: bool = False,
        **kwargs: Any,
    ) -> None:
        if fraction_reference is not None and not 0 <= fraction_reference <= 1:
            raise ValueError(
                '`fraction_reference` should be in [0, 1] or None (both '
                f'images), but got {fraction_reference}.'
            )
        if teacher_dtype not in (None, *TEACHER_DTYPES):
            raise ValueError(
                f'`teacher_dtype` should be one of {[*TEACHER_DTYPES]} or '
                f'None, but got {teacher_dtype!r}.'
            )
        super().__init__(**kwargs)
        self.pca_dim = pca_dim
        self.w_corr = w_corr
        self.w_seg = w_seg
        self.w_feat = w_feat
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
        # Source of the draws of a training step; the hook seeds it from the
        # iteration, so that a resumed run draws the same.
        self.generator = torch.Generator()
        self.teacher_dtype = teacher_dtype
        self.register_module('codebook', None)
        self.register_module('teacher', None)
        if channels_last:
            # Convolutions give what their weights have, whatever comes in.
            self.to(memory_format=torch.channels_last)

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
        self.teacher = Teacher(self, self.feature_layer, self.teacher_dtype)

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
            head, weighted; those of weight 0 are left out. A head's further
            classifiers have the first two, as ``<head>.<name>.loss_...``.
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
        points = [sample.points for sample in data_samples]
        points2 = [sample.points2 for sample in data_samples]
        return pair_losses(self, img, img2, points, points2)

    # -------------------------------------------------------- prediction

    def predict(
        self,
        inputs: Tensor | dict[str, Tensor],
        data_samples: list | None = None,
    ) -> list:
        """Predict single images, or evaluate pairs.

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
