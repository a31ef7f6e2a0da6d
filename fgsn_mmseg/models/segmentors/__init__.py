from .fgsn import FGSN
from .teacher import Teacher

__all__ = ['FGSN', 'Teacher']
