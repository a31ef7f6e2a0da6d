from .clustering_hook import ClusteringHook
from .fused_sgd import FusedSGD
from .resumable_loop import ResumableIterBasedTrainLoop
from .seeded_data import SeededDataset, SeededInfiniteSampler
from .staircase_lr import StaircaseLR

__all__ = [
    'ClusteringHook',
    'FusedSGD',
    'ResumableIterBasedTrainLoop',
    'SeededDataset',
    'SeededInfiniteSampler',
    'StaircaseLR',
]
