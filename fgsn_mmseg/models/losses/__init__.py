from .correspondence_loss import CorrespondenceLoss, cross_entropy_at
from .feature_hinge_loss import (
    FeatureHingeLoss,
    feature_hinge,
    sample_negatives,
)

__all__ = [
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'cross_entropy_at',
    'feature_hinge',
    'sample_negatives',
]
