from .cluster_segmentor import ClusterSegmentor
from .fgsn import FGSN
from .teacher import Teacher

__all__ = ['FGSN', 'ClusterSegmentor', 'Teacher']
