from .losses import CorrespondenceLoss, FeatureHingeLoss
from .segmentors import FGSN, Teacher

__all__ = ['FGSN', 'CorrespondenceLoss', 'FeatureHingeLoss', 'Teacher']
