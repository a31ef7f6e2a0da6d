from __future__ import annotations

import copy
import importlib.util
import zlib
from typing import Any

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .adapters import add_adapters


@MODELS.register_module()
class FrozenBackbone(BaseModule):
    """Any backbone, its weights as they are; small adapters may learn.

    The backbone's weights are neither parameters nor buffers but tensors
    that copies of the module share. So an FGSN's teacher, and a model that is
    averaged, hold no second backbone; optimizers do not see it; and
    checkpoints hold what was trained alone. The weights are therefore read
    when the module is made, in testing as in training. A checkpoint knows
    their checksum and is refused where they are others.

    It stays in eval mode.

    Args:
        backbone: Config of the backbone, with its weights: ``pretrained`` of
            mmseg's ``TIMMBackbone``, ``init_cfg`` of others.
        adapter: ``'low_rank'`` (LoRA) or ``'bottleneck'``. Defaults to None,
            nothing in it learns.
        adapter_width: Rank, or channels in the middle.
        adapter_layers: Regular expression, searched in the names of the
            layers that are adapted. Defaults to None: the attention for low
            ranks, the MLPs for bottlenecks.
        init_cfg: See mmengine's ``BaseModule``.
    """

    checksum: Tensor

    def __init__(
        self,
        backbone: dict,
        adapter: str | None = None,
        adapter_width: int = 8,
        adapter_layers: str | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_timm(backbone)
        self.network = MODELS.build(backbone)
        if getattr(self.network, 'init_cfg', None):
            self.network.init_weights()
        checksum = checksum_of(self.network)
        learned: list[nn.Parameter] = []
        if adapter is not None:
            learned = add_adapters(
                self.network, adapter, adapter_width, adapter_layers
            )
        self.frozen = freeze(self.network, learned)
        self.register_buffer('checksum', torch.tensor(checksum))
        self.train(False)

    def init_weights(self) -> None:
        """Leave the weights as they are: they were read before."""
        self._is_init = True

    def train(self, mode: bool = True) -> FrozenBackbone:
        """Stay in eval mode whatever ``mode`` is."""
        return super().train(False)

    def forward(self, images: Tensor) -> Any:
        """Maps of images (B, 3, H, W), as the backbone gives them."""
        return self.network(images)

    def __deepcopy__(self, memo: dict) -> FrozenBackbone:
        """A copy with adapters of its own on the same frozen weights."""
        memo.update({id(tensor): tensor for tensor in self.frozen})
        copied = self.__class__.__new__(self.__class__)
        memo[id(self)] = copied
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    def _apply(self, fn: Any, *args: Any, **kwargs: Any) -> FrozenBackbone:
        """Move the frozen weights too: for all copies at once."""
        super()._apply(fn, *args, **kwargs)
        for tensor in self.frozen:
            tensor.data = fn(tensor.data)
        return self

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Refuse what was trained on other frozen weights."""
        given = state_dict.get(f'{prefix}checksum')
        if given is not None and int(given) != int(self.checksum):
            raise ValueError(
                '`backbone.backbone` should have the weights of the '
                f'training, of checksum {int(given)}, but got '
                f'{int(self.checksum)}. Set `pretrained`, or the file of the '
                'weights, as it was then.'
            )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def freeze(network: nn.Module, learned: list[nn.Parameter]) -> list[Tensor]:
    """Turn a network's state into plain tensors, in place.

    Args:
        network: The network.
        learned: Its parameters that stay parameters.

    Returns:
        The tensors, each once.
    """
    kept = {id(parameter) for parameter in learned}
    # With what it was made of, whose id must not be given away meanwhile.
    frozen: dict[int, tuple[Tensor, Tensor]] = {}
    for module in network.modules():
        state = [
            *module.named_parameters(recurse=False),
            *module.named_buffers(recurse=False),
        ]
        for name, tensor in state:
            # What is no part of the state is made anew where it is missing.
            passing = name in module._non_persistent_buffers_set
            if passing or id(tensor) in kept:
                continue
            delattr(module, name)
            frozen.setdefault(id(tensor), (tensor, tensor.detach()))
            setattr(module, name, frozen[id(tensor)][1])
    return [plain for _, plain in frozen.values()]


def checksum_of(network: nn.Module) -> int:
    """CRC-32 of a network's state, the same on every device."""
    checksum = 0
    for name, tensor in network.state_dict().items():
        numbers = tensor.detach().cpu().contiguous().reshape(-1)
        checksum = zlib.crc32(name.encode(), checksum)
        checksum = zlib.crc32(numbers.view(torch.uint8).numpy(), checksum)
    return checksum


def check_timm(backbone: dict) -> None:
    """Raise ImportError, in one line, for a backbone that needs timm."""
    kind = str(backbone.get('type')).rpartition('.')[2]
    if kind == 'TIMMBackbone' and importlib.util.find_spec('timm') is None:
        raise ImportError(
            'timm should be installed for a `TIMMBackbone`, but it is not: '
            "pip install 'fgsn-mmseg[timm]', with the torchvision that "
            'belongs to your torch.'
        )
