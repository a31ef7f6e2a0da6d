from .correspondence_loss import CorrespondenceLoss, cross_entropy_at
from .dense_loss import dense_loss
from .feature_hinge_loss import (
    FeatureHingeLoss,
    feature_hinge,
    sample_negatives,
)

__all__ = [
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'cross_entropy_at',
    'dense_loss',
    'feature_hinge',
    'sample_negatives',
]
