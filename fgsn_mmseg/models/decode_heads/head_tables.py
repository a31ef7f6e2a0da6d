"""What mmseg's decode heads do that is not plain pixel classification.

The tables hold names of classes and are looked up along a class's bases, so
that heads derived from these are covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

# Parts that predict something else than a label for each cell: boundaries or
# which classes are present. They get no loss, no gradient, and stay as they
# are. '' is the whole head.
WITHOUT_LABELS: dict[str, tuple[str, ...]] = {
    'EncHead': ('se_layer',),
    'PIDHead': ('d_head', 'd_cls_seg'),
    'STDCHead': ('',),
}
# Heads whose list `loss_decode` has an entry for each classifier.
LOSS_OF_CLASSIFIER: dict[str, dict[str, int]] = {
    'DDRHead': {'conv_seg': 0, 'aux_cls_seg': 1},
    'PIDHead': {'p_cls_seg': 0, 'conv_seg': 1},
}
REFUSED: dict[str, str] = {
    'IterativeDecodeHead': 'makes its classifier anew for each image',
    'Mask2FormerHead': 'classifies masks, not pixels',
    'MaskFormerHead': 'classifies masks, not pixels',
    'SideAdapterCLIPHead': 'classifies masks by words, not pixels',
    'VPDDepthHead': 'predicts depth, not classes',
}

T = TypeVar('T')


def look_up(table: Mapping[str, T], kind: Any) -> T | None:
    """Entry of a class or of the nearest of its bases."""
    for base in getattr(kind, '__mro__', ()):
        if base.__name__ in table:
            return table[base.__name__]
    return None


def without_labels(kind: Any) -> bool:
    """Whether a head of this class predicts no labels at all."""
    return '' in (look_up(WITHOUT_LABELS, kind) or ())
