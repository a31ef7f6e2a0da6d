from __future__ import annotations

from typing import Any

import torch
from mmengine.registry import OPTIMIZERS
from packaging.version import Version
from torch.optim import SGD


@OPTIMIZERS.register_module()
class FusedSGD(SGD):
    """SGD that goes over the weights once a step where torch can.

    The steps are those of :class:`torch.optim.SGD`. With a group for each
    parameter, which mmengine makes for rates of their own, the ordinary one
    goes over them several times. Before torch 2.4 this is the ordinary one.

    Args:
        params: As in :class:`torch.optim.SGD`.
        **kwargs: As in :class:`torch.optim.SGD`, less ``foreach`` and
            ``fused``.
    """

    def __init__(self, params: Any, **kwargs: Any) -> None:
        if Version(torch.__version__) >= Version('2.4'):
            kwargs['fused'] = True
        super().__init__(params, **kwargs)
