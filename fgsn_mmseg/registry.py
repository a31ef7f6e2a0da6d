"""Registries of the scope `fgsn_mmseg`.

mmengine gives what comes from ``_base_ = ['fgsn_mmseg::...']`` this scope,
and looks for its registries here. The types of this package are in mmseg's
registries; these are empty children, which ask their parents.
"""

from mmengine.registry import Registry
from mmseg import registry as parents

LOCATIONS = [
    f'mmseg.{room}'
    for room in ('models', 'datasets', 'engine', 'evaluation', 'visualization')
]
REGISTRIES = {
    name: Registry(
        parent.name, parent=parent, scope='fgsn_mmseg', locations=LOCATIONS
    )
    for name, parent in vars(parents).items()
    if isinstance(parent, Registry)
}
