from .atomic_checkpoint_hook import AtomicCheckpointHook
from .clustering_hook import ClusteringHook
from .logit_adjustment_hook import LogitAdjustmentHook
from .resumable_loop import ResumableIterBasedTrainLoop
from .seeded_data import SeededDataset, SeededInfiniteSampler
from .staircase_lr import StaircaseLR

__all__ = [
    'AtomicCheckpointHook',
    'ClusteringHook',
    'LogitAdjustmentHook',
    'ResumableIterBasedTrainLoop',
    'SeededDataset',
    'SeededInfiniteSampler',
    'StaircaseLR',
]
