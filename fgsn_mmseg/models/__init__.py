from .backbones import FrozenBackbone
from .decode_heads import ClusterHead
from .losses import CorrespondenceLoss, FeatureHingeLoss, PriorCorrectedLoss
from .pair_data_preprocessor import PairDataPreProcessor
from .segmentors import FGSN, Teacher

__all__ = [
    'FGSN',
    'ClusterHead',
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'FrozenBackbone',
    'PairDataPreProcessor',
    'PriorCorrectedLoss',
    'Teacher',
]
