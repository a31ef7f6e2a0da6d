from __future__ import annotations

from typing import Any

import torch
from mmseg.registry import MODELS
from mmseg.utils import add_prefix
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ...clustering import Codebook
from ...inference import BlendedMap
from ..decode_heads import check_same_clusters
from ..pairs import Pairs, check_pairs, draw_sides, gather, ignore_padding
from .cluster_segmentor import ClusterSegmentor
from .pair_prediction import predict_pair
from .sinkhorn_balance import SinkhornBalance
from .teacher import Teacher

# What only training needs; the rest of the state is a plain segmentor's.
TRAINING_PARTS = ('teacher.', 'codebook.', 'balance.')


@MODELS.register_module()
class FGSN(ClusterSegmentor):
    """Fine-Grained Segmentation Network: any mmseg segmentor, own labels.

    Takes the parts of any :class:`EncoderDecoder` or
    :class:`CascadeEncoderDecoder`; every head that can becomes a
    :class:`~fgsn_mmseg.models.ClusterHead`, with the options given here
    unless the config has made it one already. The losses of all but the
    (last) decode head weigh 0.4 (``loss_decode``: mmseg's own weight).
    Paper: section 3; every default is the paper's value.
    The labels come from a teacher and a codebook, which
    :class:`~fgsn_mmseg.engine.ClusteringHook` fills; both are part of the
    model and of its state dict from the start. All other parameter names are
    those of the plain segmentor. Prediction: :class:`ClusterSegmentor`.

    Args:
        num_clusters: K, number of labels.
        feature_layer: Inner layer of the (last) decode head whose output is
            clustered, e.g. ``'bottleneck.bn'`` (the paper: before ReLU).
            Defaults to None, what enters the classifier.
        auxiliary_feature_layer: Of the other heads, for ``loss_feat`` only.
        pca_dim: Dimensions kept by the PCA; all if there are fewer.
        fraction_reference: Probability that a pair's gradient goes through
            the reference, else through the target. None: through both.
        norm_eval: Keep BatchNorm's running statistics frozen.
        grid: How cells cover the image, see :mod:`fgsn_mmseg.geometry`;
            by default as the decode head's ``align_corners`` says.
        loss_corr: Config of the correspondence loss, a list of losses of
            logits, or None.
        loss_feat: Config of the feature loss, a list of losses of features,
            or None.
        teacher_dtype: ``'bf16'`` or ``'fp16'``: the teacher computes in this
            precision; its weights stay float32. Defaults to the student's.
        teacher_momentum: What the teacher takes over from the student's
            weights before each iteration, in [0, 1] (as mmengine's
            ``momentum``, small: 0.001); the codebook stays as it is. Defaults
            to 0, the paper: the teacher is frozen until the next clustering.
        balance: Config of what evens out how often the teacher gives each
            label, ``dict(type='SinkhornBalance')``. Defaults to None: the
            labels are those of the codebook alone, as they always are in
            validation.
        channels_last: Lay out weights and maps with the channels last, often
            faster on GPUs in half precision. Same results but for rounding.
        train_cfg: None, as mmseg's ``init_model`` sets it, is a network that
            only predicts, without teacher and codebook.
        **kwargs: Passed on to :class:`ClusterSegmentor`.
    """

    balance: SinkhornBalance | None
    codebook: Codebook | None
    teacher: Teacher | None

    def __init__(
        self,
        *,
        feature_layer: str | None = None,
        auxiliary_feature_layer: str | None = None,
        pca_dim: int = 256,
        fraction_reference: float | None = 0.5,
        norm_eval: bool = True,
        grid: str | None = None,
        loss_corr: Any = {'type': 'CorrespondenceLoss'},  # noqa: B006
        loss_feat: Any = None,
        teacher_dtype: str | None = None,
        teacher_momentum: float = 0.0,
        balance: dict | None = None,
        channels_last: bool = False,
        train_cfg: dict | None = {},  # noqa: B006
        **kwargs: Any,
    ) -> None:
        if fraction_reference is not None and not 0 <= fraction_reference <= 1:
            raise ValueError(
                '`fraction_reference` should be in [0, 1] or None (both '
                f'images), but got {fraction_reference}.'
            )
        if not 0 <= teacher_momentum <= 1:
            raise ValueError(
                '`teacher_momentum` should be in [0, 1], but got '
                f'{teacher_momentum}.'
            )
        super().__init__(
            head_options=dict(
                feature_layer=feature_layer,
                auxiliary_feature_layer=auxiliary_feature_layer,
                loss_corr=loss_corr,
                loss_feat=loss_feat,
                grid=grid,
            ),
            train_cfg=train_cfg,
            **kwargs,
        )
        self.fraction_reference = fraction_reference
        self.norm_eval = norm_eval
        self.teacher_momentum = teacher_momentum
        self.grid = self.main_head.grid
        channels = self.main_head.feature_channels
        self.pca_dim = min(pca_dim, channels)
        self.has_labels = False
        self.teacher = self.codebook = self.balance = None
        if train_cfg is not None:
            neck = self.neck if self.with_neck else None
            self.teacher = Teacher(
                self.backbone, neck, self.decode_head, teacher_dtype
            )
            self.codebook = Codebook(self.num_clusters, channels, self.pca_dim)
            if balance is not None:
                self.balance = MODELS.build(
                    {**balance, 'num_clusters': self.num_clusters}
                )
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

    # ---------------------------------------------------------- training

    def loss(
        self, inputs: dict[str, Tensor], data_samples: list
    ) -> dict[str, Tensor]:
        """Losses of a batch of pairs (method, "one training iteration").

        Args:
            inputs: ``img`` and ``img2``, (B, 3, H, W) each.
            data_samples: B samples with ``points`` and ``points2``.

        Returns:
            The weighted losses of every head, ``<head>.loss_seg`` and so on.
        """
        img, img2 = check_pairs(inputs)
        if self.teacher_momentum and self.training:
            self.labellers()[0].follow(self, self.teacher_momentum)
        heads = self.cluster_heads()
        labels = None
        if any(head.learns_labels for head in heads.values()):
            labels = ignore_padding(
                self.label_maps(img),
                [sample.get('img_shape') for sample in data_samples],
                img.shape[-2:],
                self.grid,
            )
        # Only the dense loss looks at the reference alone: without the other
        # losses the target carries nothing.
        fraction = self.fraction_reference
        if not any(head.learns_pairs for head in heads.values()):
            fraction = 1.0
        run = draw_sides(len(img), fraction)
        maps = self.run_heads(gather(img, img2, run))
        resting: dict[str, Any] = {}
        compared = any(head.compares for head in heads.values())
        if compared and not run.all():
            with torch.no_grad():
                resting = self.run_heads(gather(img, img2, ~run))
        pairs = Pairs(
            points=[sample.points for sample in data_samples],
            points2=[sample.points2 for sample in data_samples],
            size=(img.shape[-2], img.shape[-1]),
            run=run,
            labels=labels,
        )
        losses: dict[str, Tensor] = {}
        for name, head in heads.items():
            if head.learns:
                main = head is self.main_head and self.has_labels
                own = head.pair_losses(
                    maps[name],
                    pairs._replace(codebook=self.codebook if main else None),
                    resting.get(name),
                )
                losses.update(add_prefix(own, name))
        return losses

    def label_maps(self, images: Tensor) -> Tensor:
        """Teacher's cluster labels (B, h, w) of images (B, 3, H, W).

        A negative one is none. In training mode ``balance`` learns from them.
        """
        teacher, codebook = self.labellers()
        with torch.inference_mode():
            features = teacher(images)
            if self.balance is None:
                labels = codebook.assign_map(features)
            else:
                rows = features.movedim(1, -1)
                scores = codebook.scores(rows.flatten(0, 2))
                labels = self.balance(scores).view(rows.shape[:-1])
        return labels.clone()  # autograd takes no inference tensors

    def labellers(self) -> tuple[Teacher, Codebook]:
        """Teacher and codebook; RuntimeError before the first clustering."""
        if self.teacher is None or self.codebook is None:
            raise RuntimeError(
                '`model.train_cfg` should be a dict for a network that '
                'trains, but got None: it has no teacher.'
            )
        if not self.has_labels:
            raise RuntimeError(
                'FGSN has no labels to learn yet. Add '
                "dict(type='ClusteringHook', ...) to `custom_hooks`, or "
                'resume from a checkpoint of an FGSN in training.'
            )
        return self.teacher, self.codebook

    def set_codebook(self, codebook: Codebook) -> None:
        """Make these labels those of the coming iterations.

        The codebook is one of the student's features as it is now; the
        teacher becomes a copy of that student.
        """
        self.has_labels = True
        teacher, own = self.labellers()
        own.copy_(codebook)
        for module in self.modules():
            if hasattr(module, 'forget_labels'):
                module.forget_labels()
        teacher.copy_(self)

    def teacher_features(self, images: Tensor) -> BlendedMap:
        """Teacher's features of whole images (B, 3, H, W), over windows."""
        return self.over_windows(self.labellers()[0], images)

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Take labels where the state has some; else keep what is there."""
        own = self.state_dict(prefix=prefix)
        parts = tuple(prefix + part for part in TRAINING_PARTS)
        centroids = state_dict.get(f'{prefix}codebook.centroids')
        if centroids is not None:
            check_same_clusters(len(centroids), self.num_clusters)
            self.has_labels = self.codebook is not None and bool(
                centroids.any()
            )
        for name in {*own, *state_dict}:
            if name.startswith(parts) and name not in own:
                del state_dict[name]  # a network that only predicts
            elif name.startswith(parts):
                state_dict.setdefault(name, own[name])
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    # -------------------------------------------------------- prediction

    @torch.no_grad()
    def predict(
        self,
        inputs: Tensor | dict[str, Tensor],
        data_samples: list | None = None,
    ) -> list:
        """Predict single images, or evaluate pairs (``img`` and ``img2``).

        Returns:
            The samples with ``pred_sem_seg``; those of pairs with what
            :func:`predict_pair` adds.
        """
        if not isinstance(inputs, dict):
            return super().predict(inputs, data_samples)
        if data_samples is None:
            raise ValueError('Pairs need `data_samples` with their points.')
        for index, sample in enumerate(data_samples):
            pair = [inputs[key][index : index + 1] for key in ('img', 'img2')]
            predict_pair(self, pair[0], pair[1], sample)
        return data_samples
