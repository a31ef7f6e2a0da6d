"""Large label maps: windows, blending, argmax over many clusters."""

from .blending import BlendedMap, blend_windows, whole
from .confidence import Confidence, winner_confidence, winner_confidence_at
from .windows import even_windows, linear_ramp
from .winning import winning_labels, winning_labels_at

__all__ = [
    'BlendedMap',
    'Confidence',
    'blend_windows',
    'even_windows',
    'linear_ramp',
    'whole',
    'winner_confidence',
    'winner_confidence_at',
    'winning_labels',
    'winning_labels_at',
]
