"""How good: agreement across conditions, and what clusters mean."""

from ..datasets import label_map_path, read_label_map, write_label_map
from .agreement import (
    agreement_figures,
    chance_agreement,
    label_agreement,
    label_usage,
    match_bits,
    mutual_information,
)
from .baselines import (
    BASELINES,
    Baseline,
    colour_features,
    handmade_features,
    kmeans_baseline,
)
from .cluster_information import (
    cluster_class_counts,
    contingency_table,
    majority_vote_iou,
    normalized_mutual_information,
    purity,
)
from .cluster_information_metric import ClusterInformationMetric
from .correspondence_metric import CorrespondenceMetric
from .hard_matches import HardMatches, hard_figures, hard_matches
from .label_map_writer import LabelMapWriter
from .stationary import count_at_points, stationary_clusters

__all__ = [
    'BASELINES',
    'Baseline',
    'ClusterInformationMetric',
    'CorrespondenceMetric',
    'HardMatches',
    'LabelMapWriter',
    'agreement_figures',
    'chance_agreement',
    'cluster_class_counts',
    'colour_features',
    'contingency_table',
    'count_at_points',
    'handmade_features',
    'hard_figures',
    'hard_matches',
    'kmeans_baseline',
    'label_agreement',
    'label_map_path',
    'label_usage',
    'majority_vote_iou',
    'match_bits',
    'mutual_information',
    'normalized_mutual_information',
    'purity',
    'read_label_map',
    'stationary_clusters',
    'write_label_map',
]
