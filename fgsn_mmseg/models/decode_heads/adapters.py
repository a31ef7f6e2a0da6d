"""Which view serves which decode head, and which heads none can serve.

The tables hold names of classes and are looked up along a class's bases, so
that heads derived from these are covered.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from mmseg.registry import MODELS
from torch import Tensor, nn

from .cluster_head import ClusterHead, HeadMaps
from .point_cluster_head import PointClusterHead
from .segmenter_cluster_head import SegmenterClusterHead

# Heads that are not like `conv_seg` behind a feature map.
VIEWS: dict[str, type[ClusterHead]] = {
    'PointHead': PointClusterHead,
    'SegmenterMaskTransformerHead': SegmenterClusterHead,
}
# Parts that predict something else than a label for each cell: boundaries or
# which classes are present. They get no loss, no gradient, and stay as they
# are. '' is the whole head.
WITHOUT_LABELS: dict[str, tuple[str, ...]] = {
    'EncHead': ('se_layer',),
    'PIDHead': ('d_head', 'd_cls_seg'),
    'STDCHead': ('',),
}
REFUSED: dict[str, str] = {
    'IterativeDecodeHead': 'makes its classifier anew for each image',
    'Mask2FormerHead': 'classifies masks, not pixels',
    'MaskFormerHead': 'classifies masks, not pixels',
    'SideAdapterCLIPHead': 'classifies masks by words, not pixels',
    'VPDDepthHead': 'predicts depth, not classes',
}

T = TypeVar('T')


def with_clusters(head: Any, num_clusters: int) -> Any:
    """Config(s) of heads with K classes; the given ones stay as they are.

    Args:
        head: Config of a decode head, a list of them, or None.
        num_clusters: K.

    Raises:
        ValueError: If a head cannot become a cluster head.
    """
    if head is None:
        return None
    if isinstance(head, (list, tuple)):
        return [with_clusters(one, num_clusters) for one in head]
    kind = head['type']
    if isinstance(kind, str):
        kind = MODELS.get(kind)
    reason = _look_up(REFUSED, kind)
    if reason is not None:
        raise ValueError(
            f'The heads of an FGSN should classify pixels, but '
            f'{kind.__name__} {reason}. Choose another network.'
        )
    head = copy.deepcopy(head)
    if '' in (_look_up(WITHOUT_LABELS, kind) or ()):
        return head
    head['num_classes'] = num_clusters
    if 'out_channels' in head:
        head['out_channels'] = num_clusters
    return head


def stages_of(
    decode_head: nn.Module,
    layer: str | None,
    earlier_layer: str | None = None,
    earlier_weight: float = 1.0,
) -> list[ClusterHead]:
    """Views on a decode head, or on those of a cascade in their order.

    Args:
        decode_head: A head or a ``ModuleList`` of them.
        layer: Inner layer of the last one that gives the features.
        earlier_layer: The same of the earlier ones.
        earlier_weight: Weight of the earlier ones' losses.
    """
    if not isinstance(decode_head, nn.ModuleList):
        return [_view(decode_head, layer, 'decode', 1.0)]
    last = len(decode_head) - 1
    return [
        _view(head, earlier_layer, f'decode_{index}', earlier_weight)
        if index < last
        else _view(head, layer, f'decode_{index}', 1.0)
        for index, head in enumerate(decode_head)
    ]


def auxiliaries_of(
    auxiliary_head: nn.Module, layer: str | None, weight: float
) -> list[ClusterHead]:
    """Views on those auxiliary heads that predict labels."""
    heads = {'aux': auxiliary_head}
    if isinstance(auxiliary_head, nn.ModuleList):
        heads = {f'aux_{i}': head for i, head in enumerate(auxiliary_head)}
    return [
        _view(head, layer, name, weight)
        for name, head in heads.items()
        if '' not in (_look_up(WITHOUT_LABELS, type(head)) or ())
    ]


def _view(
    head: nn.Module, layer: str | None, name: str, weight: float
) -> ClusterHead:
    view = _look_up(VIEWS, type(head)) or ClusterHead
    return view(head, layer, name, weight)


def freeze_parts_without_labels(head: nn.Module) -> None:
    """Switch the gradient off where no loss will ever give one."""
    for name in _look_up(WITHOUT_LABELS, type(head)) or ():
        try:
            part = head.get_submodule(name)
        except AttributeError:  # EncHead without its further loss
            continue
        part.requires_grad_(False)


def run_stages(stages: list[ClusterHead], inputs: Any) -> list[HeadMaps]:
    """Run the heads of a cascade, each on the logits of the one before."""
    done: list[HeadMaps] = []
    previous: Tensor | None = None
    for stage in stages:
        done.append(stage(inputs, previous))
        previous = done[-1].logits
    return done


def _look_up(table: dict[str, T], kind: Any) -> T | None:
    """Entry of a class or of the nearest of its bases."""
    for base in getattr(kind, '__mro__', ()):
        if base.__name__ in table:
            return table[base.__name__]
    return None
