from .clustering_hook import ClusteringHook
from .resumable_loop import ResumableIterBasedTrainLoop
from .seeded_data import SeededDataset, SeededInfiniteSampler
from .staircase_lr import StaircaseLR

__all__ = [
    'ClusteringHook',
    'ResumableIterBasedTrainLoop',
    'SeededDataset',
    'SeededInfiniteSampler',
    'StaircaseLR',
]
