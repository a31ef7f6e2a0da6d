"""Fine-Grained Segmentation Networks for mmsegmentation.

``custom_imports = dict(imports=['fgsn_mmseg'])`` in a config registers
everything. Where mmcv-lite is installed, import this package before
``mmseg.models`` or ``mmseg.apis``.
"""

# ruff: noqa: E402, I001
# The order matters: the first lines make the imports of the rooms possible,
# and the rooms come in the order in which data passes.
from fgsn_mmseg import compat
from fgsn_mmseg.version import __version__

compat.prepare()

from fgsn_mmseg import structures
from fgsn_mmseg import datasets
from fgsn_mmseg import clustering
from fgsn_mmseg import inference
from fgsn_mmseg import models
from fgsn_mmseg import engine
from fgsn_mmseg import evaluation
from fgsn_mmseg import visualization

__all__ = [
    '__version__',
    'clustering',
    'compat',
    'datasets',
    'engine',
    'evaluation',
    'inference',
    'models',
    'structures',
    'visualization',
]
