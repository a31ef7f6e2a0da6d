"""How long things take: what ``tools/analysis_tools/benchmark.py`` runs."""

from .clustering import benchmark_assignment, benchmark_clustering
from .inference import benchmark_inference
from .loader import benchmark_loader
from .table import Table, markdown
from .training import benchmark_training

__all__ = [
    'Table',
    'benchmark_assignment',
    'benchmark_clustering',
    'benchmark_inference',
    'benchmark_loader',
    'benchmark_training',
    'markdown',
]
