"""Large label maps: windows, blending, argmax over many clusters."""

from .blending import BlendedMap, blend_windows, whole
from .windows import even_windows, linear_ramp

__all__ = [
    'BlendedMap',
    'blend_windows',
    'even_windows',
    'linear_ramp',
    'whole',
]
