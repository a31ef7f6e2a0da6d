"""A street in six conditions, to try everything without a download."""

from .conditions import CONDITIONS, REFERENCE, Condition
from .settings import SIZES, TRAVERSALS, WorldSettings, settings_for
from .world import generate_world

__all__ = [
    'CONDITIONS',
    'REFERENCE',
    'SIZES',
    'TRAVERSALS',
    'Condition',
    'WorldSettings',
    'generate_world',
    'settings_for',
]
