from .cluster_head import (
    check_head,
    features_and_logits,
    redraw_classifier,
    tapped,
)

__all__ = ['check_head', 'features_and_logits', 'redraw_classifier', 'tapped']
