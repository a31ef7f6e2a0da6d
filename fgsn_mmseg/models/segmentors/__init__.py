from .cluster_segmentor import ClusterSegmentor
from .cluster_tta_model import ClusterTTAModel
from .fgsn import FGSN
from .teacher import Teacher

__all__ = ['FGSN', 'ClusterSegmentor', 'ClusterTTAModel', 'Teacher']
