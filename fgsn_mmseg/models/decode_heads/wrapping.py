from __future__ import annotations

from typing import Any

from mmseg.registry import MODELS

from .cluster_head import ClusterHead
from .head_checks import check_num_clusters, class_of
from .head_pair_losses import FURTHER_WEIGHT, of_codebook
from .head_tables import REFUSED, look_up, without_labels


def as_cluster_heads(
    head: Any, num_clusters: int, main: bool = True, **options: Any
) -> Any:
    """Configs of heads in which every head that can is a ``ClusterHead``.

    Args:
        head: Config of a decode head, a list of them, or None.
        num_clusters: K.
        main: Whether the (last) head is the segmentor's main one. The losses
            of the others weigh 0.4 (paper, section 3).
        **options: ``loss_corr``, ``loss_feat`` and so on of the heads that
            are not a ``ClusterHead`` yet; ``feature_layer`` of the main one,
            ``auxiliary_feature_layer`` of the others.

    Returns:
        New configs; the given ones stay as they are.

    Raises:
        ValueError: A head cannot become a cluster head, or names another K.
    """
    if head is None:
        return None
    if isinstance(head, (list, tuple)):
        return [
            as_cluster_heads(one, num_clusters, main and last, **options)
            for one, last in zip(head, [False] * (len(head) - 1) + [True])
        ]
    kind = class_of(head)
    if kind is ClusterHead:
        given = head.get('num_clusters')
        if given is not None and given != num_clusters:
            raise ValueError(
                f'`num_clusters` of a ClusterHead should be that of the FGSN, '
                f'{num_clusters}, but got {given!r}. Leave it out.'
            )
        refuse(class_of(head['head']))
        return {**head, 'num_clusters': num_clusters}
    refuse(kind)
    if without_labels(kind):
        return head
    options = dict(options)
    auxiliary_layer = options.pop('auxiliary_feature_layer', None)
    if not main:
        options['feature_layer'] = auxiliary_layer
        for name in ('loss_corr', 'loss_feat'):
            if options.get(name) is not None:
                options[name] = _of_further_head(options[name])
    return dict(
        type='ClusterHead',
        head=head,
        num_clusters=check_num_clusters(num_clusters),
        **options,
    )


def _of_further_head(loss: Any) -> Any:
    """Its losses weigh 0.4, and its features have no codebook."""
    if isinstance(loss, (list, tuple)):
        return [one for one in map(_of_further_head, loss) if one is not None]
    kind = loss['type']
    if of_codebook(MODELS.get(kind) if isinstance(kind, str) else kind):
        return None
    weight = loss.get('loss_weight', 1.0)
    return {**loss, 'loss_weight': FURTHER_WEIGHT * weight}


def refuse(kind: type) -> None:
    """Raise ValueError if heads of a class cannot become cluster heads."""
    reason = look_up(REFUSED, kind)
    if reason is not None:
        raise ValueError(
            f'The heads of an FGSN should classify pixels, but '
            f'{kind.__name__} {reason}. Choose another network.'
        )
