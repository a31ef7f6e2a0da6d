from .correspondence_loss import CorrespondenceLoss, cross_entropy_at
from .feature_hinge_loss import (
    FeatureHingeLoss,
    feature_hinge,
    sample_negatives,
)
from .prior_corrected_loss import PriorCorrectedLoss

__all__ = [
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'PriorCorrectedLoss',
    'cross_entropy_at',
    'feature_hinge',
    'sample_negatives',
]
