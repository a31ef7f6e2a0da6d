from __future__ import annotations

from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmseg.registry import PARAM_SCHEDULERS


class StaircaseParamScheduler(_ParamScheduler):
    """A straight line to 0 at ``end``, taken in steps.

    Args:
        optimizer: Optimizer or its wrapper.
        param_name: Name of the parameter.
        interval: Length of a step; the value moves at its multiples only.
        **kwargs: ``begin``, ``end``, ``by_epoch`` and so on.
    """

    def __init__(
        self, optimizer: Any, param_name: str, interval: int, **kwargs: Any
    ) -> None:
        if interval < 1:
            raise ValueError(
                f'`interval` should be positive, but got {interval}.'
            )
        self.interval = interval
        super().__init__(optimizer, param_name, **kwargs)

    def _get_value(self) -> list[float]:
        step = self.last_step // self.interval * self.interval
        factor = max(0.0, 1 - step / (self.end - self.begin))
        return [base * factor for base in self.base_values]


@PARAM_SCHEDULERS.register_module()
class StaircaseLR(LRSchedulerMixin, StaircaseParamScheduler):
    """Learning rate of the authors' code: it moves at clusterings only.

    With ``interval`` that of the clustering, the value of iteration i is
    lr * (1 - floor(i / interval) * interval / end).

    Args:
        optimizer: Optimizer or its wrapper.
        interval: Length of a step.
        begin: First iteration. Defaults to 0.
        end: Iteration at which the line reaches 0.
        by_epoch: Whether steps are epochs. Defaults to True.
    """
