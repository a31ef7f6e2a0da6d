"""What stands in for ``mmcv.ops`` where mmcv-lite is installed.

`point_sample` needs no compiled code and is written out; any other name can
be imported, subclassed and registered, and raises when it is used.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor


def point_sample(
    input: Tensor, points: Tensor, align_corners: bool = False, **kwargs: Any
) -> Tensor:
    """Sample a feature map at points, as ``mmcv.ops.point_sample`` does.

    Args:
        input: (B, C, H, W) feature map.
        points: (B, N, 2) or (B, H', W', 2) x, y in [0, 1], where 0 and 1 are
            the outer borders of the outer pixels, or with ``align_corners``
            their centres.
        align_corners: See ``points``. Defaults to False.
        **kwargs: Further arguments of `torch.nn.functional.grid_sample`.

    Returns:
        (B, C, N) or (B, C, H', W') sampled features.
    """
    as_list = points.dim() == 3
    if as_list:
        points = points.unsqueeze(2)
    output = F.grid_sample(
        input, points * 2 - 1, align_corners=align_corners, **kwargs
    )
    return output.squeeze(3) if as_list else output


def get_compiler_version() -> str:
    """Return 'n/a', as mmcv's report of the environment does without ops."""
    return 'n/a'


def get_compiling_cuda_version() -> str:
    """Return 'n/a', as mmcv's report of the environment does without ops."""
    return 'n/a'


class _Placeholder:
    """A compiled operator that is not there; calling it raises.

    A class, so that it can be a base class and stand in `isinstance`.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        name = next(
            base.__name__
            for base in cls.__mro__
            if _Placeholder in base.__bases__
        )
        raise RuntimeError(
            f'`mmcv.ops.{name}` needs compiled operators, which mmcv-lite '
            'has not. Run `pip uninstall -y mmcv-lite`, then '
            '`pip install "fgsn-mmseg[full]"` (compiles mmcv), or choose a '
            'model that does without.'
        )


def __getattr__(name: str) -> Any:
    # Python asks modules for names of this kind (`__path__`, `__wrapped__`);
    # a placeholder there would pass for an answer.
    if name.startswith('_'):
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    placeholder = type(name, (_Placeholder,), {'__module__': 'mmcv.ops'})
    globals()[name] = placeholder  # the same class every time
    return placeholder
