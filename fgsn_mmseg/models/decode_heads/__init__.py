from .cluster_head import ClusterHead
from .head_checks import check_same_clusters
from .head_maps import HeadMaps, run_stages
from .head_tables import without_labels
from .point_cluster_head import PointClusterHead
from .segmenter_cluster_head import SegmenterClusterHead
from .wrapping import as_cluster_heads

__all__ = [
    'ClusterHead',
    'HeadMaps',
    'PointClusterHead',
    'SegmenterClusterHead',
    'as_cluster_heads',
    'check_same_clusters',
    'run_stages',
    'without_labels',
]
