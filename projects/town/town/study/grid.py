"""The experiments by which the method's claims are tried in the town."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass

from mmengine import Config

NUMBERS = (20, 100, 200, 1000)
SINGLE = 100  # K of the switches that are tried at one K only


@dataclass(frozen=True)
class GridRow:
    """One experiment: what differs from the config of the FGSN."""

    name: str
    num_clusters: int
    w_corr: float = 1.0
    w_seg: float = 1.0
    w_feat: float = 0.0
    pretrained: bool = True


ROWS = tuple(
    [GridRow(f'c{k}', k) for k in NUMBERS]
    + [GridRow(f'c{k}-nocorr', k, w_corr=0.0) for k in NUMBERS]
    + [
        GridRow(f'c{SINGLE}-noseg', SINGLE, w_seg=0.0),
        GridRow(f'c{SINGLE}-hinge', SINGLE, w_feat=1.0),
        GridRow(f'c{SINGLE}-random', SINGLE, pretrained=False),
    ]
)


def rows_named(names: list[str]) -> list[GridRow]:
    """Rows by their names.

    Args:
        names: Names in `ROWS`; none means all.

    Returns:
        The rows in the order of `ROWS`.

    Raises:
        ValueError: There is no row of a name.
    """
    known = [row.name for row in ROWS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f'`rows` should be among {", ".join(known)}, but got '
            f'{unknown[0]!r}. Leave them out to run all.'
        )
    return [row for row in ROWS if not names or row.name in names]


def row_config(
    config: Config, row: GridRow, seed: int, start: str | os.PathLike
) -> Config:
    """Config of one experiment.

    Args:
        config: Of the FGSN; left as it is.
        row: What to change.
        seed: Of the run.
        start: Checkpoint of the base network.

    Returns:
        A new config. It does not validate: figures are taken afterwards.
    """
    config = copy.deepcopy(config)
    model = config.model
    model.num_clusters = row.num_clusters
    model.w_corr, model.w_seg = row.w_corr, row.w_seg
    model.w_feat = row.w_feat
    if row.pretrained:
        model.init_cfg = dict(type='Pretrained', checkpoint=str(start))
    else:
        model.init_cfg = None
    config.randomness = dict(seed=seed)
    config.train_cfg.val_begin = config.train_cfg.max_iters + 1
    config.default_hooks.checkpoint.pop('save_best', None)
    config.default_hooks.checkpoint.pop('rule', None)
    config.default_hooks.visualization.draw = False
    return config
