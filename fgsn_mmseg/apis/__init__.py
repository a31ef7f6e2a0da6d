"""Whole jobs: what the command lines in ``tools/`` run."""

from .browse import browse_correspondences
from .environment import environment
from .grid import Experiment, list_experiments
from .label_images import LabelingReport, label_images
from .loading import load_segmentor
from .rank import rank_from_environment
from .stationary import (
    StationaryClusters,
    find_stationary_clusters,
    write_stationary_clusters,
)
from .training_log import TrainingLog, read_training_log

__all__ = [
    'Experiment',
    'LabelingReport',
    'StationaryClusters',
    'TrainingLog',
    'browse_correspondences',
    'environment',
    'find_stationary_clusters',
    'label_images',
    'list_experiments',
    'load_segmentor',
    'rank_from_environment',
    'read_training_log',
    'write_stationary_clusters',
]
