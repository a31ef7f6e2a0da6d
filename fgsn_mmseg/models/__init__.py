from .decode_heads import ClusterHead
from .losses import CorrespondenceLoss, FeatureHingeLoss, PriorCorrectedLoss
from .pair_data_preprocessor import PairDataPreProcessor
from .segmentors import FGSN, SinkhornBalance, Teacher

__all__ = [
    'FGSN',
    'ClusterHead',
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'PairDataPreProcessor',
    'PriorCorrectedLoss',
    'SinkhornBalance',
    'Teacher',
]
