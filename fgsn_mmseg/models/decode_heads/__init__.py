from .adapters import (
    auxiliaries_of,
    freeze_parts_without_labels,
    run_stages,
    stages_of,
    with_clusters,
)
from .cluster_head import ClusterHead, HeadMaps

__all__ = [
    'ClusterHead',
    'HeadMaps',
    'auxiliaries_of',
    'freeze_parts_without_labels',
    'run_stages',
    'stages_of',
    'with_clusters',
]
