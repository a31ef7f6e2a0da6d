"""What a training iteration and its irreducible part do."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from mmengine.optim import OptimWrapper, build_optim_wrapper
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from fgsn_mmseg.structures import PairDataSample

from . import networks


class TrainingSteps:
    """Both, on one pair.

    Args:
        model_config: Of the FGSN.
        optim_config: Of its optimizer; None: SGD with momentum.
        crop: (height, width).
        device: 'cpu' or 'cuda'.
        precision: 'fp32' or 'bf16'.
    """

    def __init__(
        self,
        model_config: dict,
        optim_config: dict | None,
        crop: tuple[int, int],
        device: str,
        precision: str,
    ) -> None:
        self.device = device
        self.bf16 = precision == 'bf16'
        self.model: Any = networks.build(model_config, device)
        networks.teach(self.model)
        self.model.redraw_classifiers(torch.Generator().manual_seed(0))
        self.plain = networks.build_plain(model_config, device)
        if model_config.get('channels_last'):
            self.plain.to(memory_format=torch.channels_last)
        self.plain.train()
        if self.model.norm_eval:
            for module in self.plain.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        self.optimizer = self._build_optimizer(optim_config)
        self.images = torch.randn(1, 3, *crop, device=device)
        self.batch = made_up_batch(crop)

    def _build_optimizer(self, config: dict | None) -> OptimWrapper:
        config = dict(
            config
            or dict(
                optimizer=dict(
                    type='SGD',
                    lr=2.5e-5,
                    momentum=0.9,
                    nesterov=True,
                    weight_decay=1e-4,
                )
            ),
            type='OptimWrapper',
        )
        for key in ('loss_scale', 'dtype'):
            config.pop(key, None)
        optimizer = build_optim_wrapper(self.model, config)
        # Hundreds of steps on one pair would saturate the classifiers, and
        # arithmetic with numbers next to zero is slow.
        for group in optimizer.param_groups:
            group['lr'] = 0.0
        return optimizer

    def precision(self) -> Any:
        """Context of the wanted precision."""
        if not self.bf16:
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)

    def iteration(self, batch: dict | None = None) -> None:
        """What the train loop does with a batch."""
        with self.precision():
            data = self.model.data_preprocessor(batch or self.batch, True)
            losses = self.model(**data, mode='loss')
        total, _ = self.model.parse_losses(losses)
        self.optimizer.update_params(total)

    def irreducible(self) -> None:
        """Teacher, and one image through mmseg's network, both ways."""
        self.plain.zero_grad(set_to_none=True)
        with self.precision():
            with torch.inference_mode():
                self.model.teacher(self.images)
            maps = self.plain.extract_feat(self.images)
            logits = logits_of(self.plain, maps)
        torch.autograd.backward(logits, [torch.ones_like(x) for x in logits])


def logits_of(plain: Any, maps: Any) -> list[Tensor]:
    """Logits of all heads of mmseg's segmentor."""
    heads = [plain.decode_head]
    outputs = []
    if isinstance(plain.decode_head, torch.nn.ModuleList):
        first, *later = plain.decode_head
        outputs.append(first(maps))
        for head in later:
            outputs.append(head(maps, outputs[-1]))
        heads = []
    if plain.with_auxiliary_head:
        auxiliary = plain.auxiliary_head
        several = isinstance(auxiliary, torch.nn.ModuleList)
        heads += list(auxiliary) if several else [auxiliary]
    outputs += [head(maps) for head in heads]
    flat: list[Tensor] = []
    for output in outputs:
        flat += output if isinstance(output, (list, tuple)) else [output]
    return [one for one in flat if one.requires_grad]


def made_up_batch(crop: tuple[int, int]) -> dict:
    """A batch of one pair, as the loader gives it."""
    generator = torch.Generator().manual_seed(0)
    size = torch.tensor(crop[::-1])
    sample = PairDataSample(metainfo=dict(img_shape=crop, img_shape2=crop))
    for key in ('points', 'points2'):
        points = torch.rand(250, 2, generator=generator) * (size - 1)
        sample.set_data({key: points})
    images = {
        key: [
            torch.randint(
                256, (3, *crop), generator=generator, dtype=torch.uint8
            )
        ]
        for key in ('img', 'img2')
    }
    return dict(inputs=images, data_samples=[sample])
