"""What a person looks at: label maps and pairs in pictures."""

from ..datasets import cluster_palette
from .drawing import blend_label_map, colour_label_map
from .pair_picture import draw_pair
from .pair_visualization_hook import PairVisualizationHook
from .pair_visualizer import PairVisualizer
from .patch_sheet import PatchCollector, draw_patch_sheet

__all__ = [
    'PairVisualizationHook',
    'PairVisualizer',
    'PatchCollector',
    'blend_label_map',
    'cluster_palette',
    'colour_label_map',
    'draw_pair',
    'draw_patch_sheet',
]
