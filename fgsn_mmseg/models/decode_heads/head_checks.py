"""What a config may ask of a cluster head, and what then learns."""

from __future__ import annotations

from typing import Any

from mmseg.registry import MODELS

from ...structures import IGNORED_LABEL
from .head_tables import WITHOUT_LABELS, look_up


def check_num_clusters(num_clusters: Any) -> int:
    """Return K, or raise ValueError or TypeError."""
    if not isinstance(num_clusters, int) or isinstance(num_clusters, bool):
        raise TypeError(
            '`num_clusters` should be a whole number, but got '
            f'{num_clusters!r}. Give it to the FGSN, or to the ClusterHead '
            'of a plain segmentor.'
        )
    if not 2 <= num_clusters < IGNORED_LABEL:
        raise ValueError(
            f'`num_clusters` should be in 2..{IGNORED_LABEL - 1}, but got '
            f'{num_clusters}.'
        )
    return num_clusters


def class_of(config: dict) -> type:
    """Class of a head's config."""
    kind = config['type']
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if found is None:
        raise KeyError(
            f'`head` should be a decode head in the registry, but got '
            f'{kind!r}. Is its module in `custom_imports`?'
        )
    return found


def check_parts(head: Any, kind: str) -> None:
    """Raise ValueError if a head cannot become a cluster head.

    Args:
        head: A ``ClusterHead``.
        kind: Name of the class of the head inside.
    """
    if head.main_classifier not in head.classifiers():
        raise ValueError(
            '`head` should be a decode head that ends in a 1x1 convolution '
            f'`{head.main_classifier}`, but got {kind}. Choose another '
            'decode head.'
        )
    names = [key for key, _ in head.named_modules() if key]
    if head.feature_layer is not None and head.feature_layer not in names:
        raise ValueError(
            f'`feature_layer` of {kind} should be one of '
            f'{", ".join(names)}, but got {head.feature_layer!r}.'
        )


def freeze_what_learns_nothing(head: Any, kind: type) -> None:
    """Switch the gradient off where no loss will ever give one.

    Args:
        head: A ``ClusterHead``.
        kind: Class of the head inside.
    """
    parts = list(look_up(WITHOUT_LABELS, kind) or ())
    if not head.learns_labels:
        parts += list(head.classifiers())
    if not head.learns:
        parts = ['']
    modules = dict(head.named_modules())
    for name in parts:
        if name in modules:  # EncHead may be without its further loss
            modules[name].requires_grad_(False)


def check_same_clusters(found: int, wanted: int) -> None:
    """Raise ValueError where a checkpoint has labels of another K."""
    if found != wanted:
        raise ValueError(
            f'`num_clusters` should be {found} as in the checkpoint, but got '
            f'{wanted}. To start another number of clusters from it, strip '
            'its labels with tools/model_converters/publish_model.py first.'
        )


def feature_channels(head: Any) -> int:
    """C, channels of the features of a cluster head."""
    if head.feature_layer is None:
        return head.classifiers()[head.main_classifier].in_channels
    layer = head.get_submodule(head.feature_layer)
    for module in reversed(list(layer.modules())):
        for name in ('num_features', 'out_channels', 'out_features'):
            if isinstance(getattr(module, name, None), int):
                return getattr(module, name)
    return head.channels
