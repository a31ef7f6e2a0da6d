from .atomic_checkpoint_hook import AtomicCheckpointHook
from .clustering_hook import ClusteringHook
from .equipartition_hook import EquipartitionHook
from .resumable_loop import ResumableIterBasedTrainLoop
from .seeded_data import SeededDataset, SeededInfiniteSampler
from .staircase_lr import StaircaseLR

__all__ = [
    'AtomicCheckpointHook',
    'ClusteringHook',
    'EquipartitionHook',
    'ResumableIterBasedTrainLoop',
    'SeededDataset',
    'SeededInfiniteSampler',
    'StaircaseLR',
]
