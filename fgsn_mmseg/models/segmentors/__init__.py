from .cluster_segmentor import ClusterSegmentor
from .cluster_tta_model import ClusterTTAModel
from .fgsn import FGSN, TRAINING_PARTS
from .sinkhorn_balance import SinkhornBalance
from .teacher import Teacher

__all__ = [
    'FGSN',
    'TRAINING_PARTS',
    'ClusterSegmentor',
    'ClusterTTAModel',
    'SinkhornBalance',
    'Teacher',
]
