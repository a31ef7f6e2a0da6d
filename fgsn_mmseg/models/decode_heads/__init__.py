from .cluster_head import (
    check_head,
    features_and_logits,
    redraw_classifier,
    tapped,
    with_classes,
)

__all__ = [
    'check_head',
    'features_and_logits',
    'redraw_classifier',
    'tapped',
    'with_classes',
]
