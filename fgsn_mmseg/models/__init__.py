from .backbones import FrozenBackbone
from .decode_heads import ClusterHead
from .losses import (
    ConsistencyLoss,
    CorrespondenceLoss,
    FeatureHingeLoss,
    MeanEntropyLoss,
    PriorCorrectedLoss,
    PrototypeContrastiveLoss,
)
from .pair_data_preprocessor import PairDataPreProcessor
from .segmentors import FGSN, SinkhornBalance, Teacher

__all__ = [
    'FGSN',
    'ClusterHead',
    'ConsistencyLoss',
    'CorrespondenceLoss',
    'FeatureHingeLoss',
    'FrozenBackbone',
    'MeanEntropyLoss',
    'PairDataPreProcessor',
    'PriorCorrectedLoss',
    'PrototypeContrastiveLoss',
    'SinkhornBalance',
    'Teacher',
]
