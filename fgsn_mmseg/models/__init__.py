from .decode_heads import ClusterHead
from .losses import CorrespondenceLoss, FeatureHingeLoss
from .pair_data_preprocessor import PairDataPreProcessor
from .segmentors import FGSN, Teacher

__all__ = [
    'FGSN',
    'ClusterHead',
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'PairDataPreProcessor',
    'Teacher',
]
