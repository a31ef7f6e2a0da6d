from __future__ import annotations

from typing import Any

from mmengine import ConfigDict
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS


@MODELS.register_module()
class ClusterTTAModel(SegTTAModel):
    """mmseg's test-time augmentation for an FGSN.

    ``SegTTAModel`` averages probabilities in the size of the image, which an
    FGSN leaves out of its results by default: here it is asked for them.
    For ``tools/test.py --tta``, with a ``tta_pipeline``::

        tta_model = dict(type='ClusterTTAModel')

    Args:
        module: The segmentor or its config.
        **kwargs: See :class:`mmengine.model.BaseTTAModel`.
    """

    def __init__(self, module: Any, **kwargs: Any) -> None:
        super().__init__(module, **kwargs)
        config = self.module.test_cfg or {}
        self.module.test_cfg = ConfigDict(config, seg_logits=True)
