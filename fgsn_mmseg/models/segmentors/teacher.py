from __future__ import annotations

import copy
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from ..decode_heads import ClusterHead, run_stages

TEACHER_DTYPES = dict(bf16=torch.bfloat16, fp16=torch.float16)


class Teacher(nn.Module):
    """Copy of a student's way from image to features.

    It is frozen between clusterings, or follows the student slowly (a mean
    teacher). It stays in eval mode and has no classifier but those that the
    features need (of a cascade's earlier stages). Its weights are buffers:
    part of the state dict, so that training resumes with the very labels
    that it had, but nothing that goes over parameters (optimizers, averages)
    touches them.

    Args:
        backbone: The student's.
        neck: The student's, or None.
        decode_head: The student's decode head, or a ``ModuleList`` of the
            stages of a cascade.
        dtype: Precision of its computations, a key of ``TEACHER_DTYPES``.
            Defaults to None: that of the weights, or of an autocast around.
    """

    def __init__(
        self,
        backbone: nn.Module,
        neck: nn.Module | None,
        decode_head: nn.Module,
        dtype: str | None = None,
    ) -> None:
        super().__init__()
        if dtype not in (None, *TEACHER_DTYPES):
            raise ValueError(
                f'`teacher_dtype` should be one of {[*TEACHER_DTYPES]} or '
                f'None, but got {dtype!r}.'
            )
        self.dtype = None if dtype is None else TEACHER_DTYPES[dtype]
        self.backbone = copy.deepcopy(backbone)
        self.neck = copy.deepcopy(neck)
        self.decode_head = copy.deepcopy(decode_head)
        self.stages[-1].drop_classifiers()
        for module in self.modules():
            for name, weight in list(module.named_parameters(recurse=False)):
                delattr(module, name)
                module.register_buffer(name, weight.detach())
        self.eval()

    @property
    def stages(self) -> list[ClusterHead]:
        """The decode heads, in the order in which they run."""
        head: Any = self.decode_head
        return [*head] if isinstance(head, nn.ModuleList) else [head]  # type: ignore[list-item]

    def train(self, mode: bool = True) -> Teacher:
        """Stay in eval mode whatever ``mode`` is."""
        return super().train(False)

    @torch.no_grad()
    def copy_(self, student: nn.Module) -> None:
        """Become what the student is now (method: teacher := copy)."""
        source = student.state_dict()
        for name, tensor in self.state_dict().items():
            tensor.copy_(source[name])

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """Move towards the student (Tarvainen and Valpola, NeurIPS 2017).

        Running statistics and other buffers become the student's: they are
        averages already.

        Args:
            student: The student.
            momentum: Share of the student in the new weights, in [0, 1].
        """
        weights = dict(student.named_parameters())
        source = student.state_dict()
        for name, tensor in self.state_dict().items():
            if name in weights:
                tensor.lerp_(source[name], momentum)
            else:
                tensor.copy_(source[name])

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
            features = run_stages(self.stages, maps)[-1].features
        return features if self.dtype is None else features.float()
