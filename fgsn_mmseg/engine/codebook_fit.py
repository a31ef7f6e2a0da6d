from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast_object_list, is_main_process
from torch import Tensor

from ..clustering import Codebook, FeatureReservoir, match_clusters


def fit_on_rank_0(
    model: Any,
    reservoir: FeatureReservoir,
    pairs: FeatureReservoir | None,
    with_labels: bool,
    num_images: int,
    **options: Any,
) -> tuple[Codebook, dict, Tensor | None]:
    """Call :func:`fit_codebook` on rank 0 and hand what it gives to all.

    Args:
        model: See there.
        reservoir: With the features, on rank 0.
        pairs: With the pairs, on rank 0, or None.
        with_labels: See there.
        num_images: For the message.
        **options: See there.

    Returns:
        See there.

    Raises:
        ValueError: On all ranks, if the features cannot be clustered.
    """
    message: list[Any] = [None]
    if is_main_process():
        rows = reservoir.features()
        if len(rows) < model.num_clusters:
            message = [
                'Clustering needs at least num_clusters='
                f'{model.num_clusters} features, but only {len(rows)} were '
                f'sampled from {num_images} images. Raise '
                'features_per_image or use more reference images.'
            ]
        else:
            both = None if pairs is None else pairs.features()
            try:
                message = [
                    fit_codebook(model, rows, both, with_labels, **options)
                ]
            except ValueError as error:
                # The other ranks wait for an answer.
                message = [str(error)]
    broadcast_object_list(message)
    if isinstance(message[0], str):
        raise ValueError(message[0])
    return message[0]


def fit_codebook(
    model: Any,
    rows: np.ndarray,
    pairs: np.ndarray | None,
    with_labels: bool,
    **options: Any,
) -> tuple[Codebook, dict, Tensor | None]:
    """Fit a codebook to sampled features.

    Args:
        model: With K and D.
        rows: (M, C) features, or (M, C + 1) with their old labels last.
        pairs: (N, 2 C) corresponding features for learned whitening, or None.
        with_labels: Whether old labels are there and go on where they can.
        **options: Of :meth:`~fgsn_mmseg.clustering.Codebook.fit`.

    Returns:
        The codebook, figures for the log, and (K,) bool, which labels go on,
        or None.
    """
    old = kept = both = None
    if with_labels:
        rows, old = rows[:, :-1], rows[:, -1].astype(np.int64)
    channels = rows.shape[1]
    if pairs is not None:
        matches = torch.from_numpy(pairs)
        both = (matches[:, :channels], matches[:, channels:])
    codebook = Codebook(
        model.num_clusters, channels, min(model.pca_dim, channels)
    )
    figures: dict[str, Any] = {'features': len(rows)}
    figures.update(codebook.fit(rows, pairs=both, old_labels=old, **options))
    if old is not None:
        new = codebook.assign(torch.from_numpy(rows))
        ids, goes_on = match_clusters(old, new, model.num_clusters)
        codebook.renumber(ids)
        kept = torch.from_numpy(goes_on)
        figures['kept_clusters'] = int(goes_on.sum())
    return codebook, figures, kept
