from __future__ import annotations

import copy
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from ..decode_heads import run_stages, stages_of

TEACHER_DTYPES = dict(bf16=torch.bfloat16, fp16=torch.float16)


class Teacher(nn.Module):
    """Frozen copy of a student's way from image to features.

    It stays in eval mode, has no gradients and no classifier but those that
    the features need (of a cascade's earlier stages); its weights are part
    of the state dict, so that training resumes with the very labels that it
    had (method: teacher := copy of student at each clustering).

    Args:
        student: The segmentor to copy.
        feature_layer: Inner layer of the last decode head that gives the
            features, see :class:`fgsn_mmseg.models.decode_heads.ClusterHead`.
        dtype: Precision of its computations, a key of ``TEACHER_DTYPES``.
            Defaults to None: that of the weights, or of an autocast around.
    """

    def __init__(
        self, student: Any, feature_layer: str | None, dtype: str | None = None
    ) -> None:
        super().__init__()
        self.dtype = None if dtype is None else TEACHER_DTYPES[dtype]
        self.feature_layer = feature_layer
        self.backbone = copy.deepcopy(student.backbone)
        self.neck = copy.deepcopy(student.neck) if student.with_neck else None
        self.decode_head = copy.deepcopy(student.decode_head)
        stages_of(self.decode_head, feature_layer)[-1].drop_classifiers()
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Teacher:
        """Stay in eval mode whatever ``mode`` is."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Features (B, C, h, w) of normalised images (B, 3, H, W)."""
        precision: Any = nullcontext()
        if self.dtype is not None:
            precision = torch.autocast(images.device.type, self.dtype)
        with precision:
            maps = self.backbone(images)
            if self.neck is not None:
                maps = self.neck(maps)
            stages = stages_of(self.decode_head, self.feature_layer)
            features = run_stages(stages, maps)[-1].features
        return features if self.dtype is None else features.float()
