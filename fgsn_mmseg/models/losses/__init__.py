from .consistency_loss import ConsistencyLoss, symmetric_divergence
from .correspondence_loss import CorrespondenceLoss, cross_entropy_at
from .feature_hinge_loss import (
    FeatureHingeLoss,
    feature_hinge,
    sample_negatives,
)
from .mean_entropy_loss import MeanEntropyLoss
from .prior_corrected_loss import PriorCorrectedLoss
from .prototype_contrastive_loss import PrototypeContrastiveLoss

__all__ = [
    'ConsistencyLoss',
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'MeanEntropyLoss',
    'PriorCorrectedLoss',
    'PrototypeContrastiveLoss',
    'cross_entropy_at',
    'feature_hinge',
    'sample_negatives',
    'symmetric_divergence',
]
