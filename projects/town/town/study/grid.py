"""The experiments by which the method's claims are tried in the town."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from typing import Any

from mmengine import Config

NUMBERS = (20, 100, 200, 1000)
SINGLE = 100  # K of the switches that are tried at one K only


@dataclass(frozen=True)
class GridRow:
    """One experiment: what differs from the config of the FGSN."""

    name: str
    num_clusters: int
    changes: dict[str, Any] = field(default_factory=dict)
    """By key of the config, dots between levels."""

    @property
    def pretrained(self) -> bool:
        """Whether it starts from the base network."""
        return 'model.init_cfg' not in self.changes


NO_CORR = {'model.loss_corr': None}
NO_SEG = {'model.decode_head.loss_decode.loss_weight': 0.0}
HINGE = {'model.loss_feat': dict(type='FeatureHingeLoss', loss_weight=1.0)}
RANDOM = {'model.init_cfg': None}
HOOK = 'custom_hooks.0.'
WHITENED = {HOOK + 'whitening': 'correspondences'}
MEANS = {**WHITENED, HOOK + 'pair_means': True}
FITTED = {HOOK + 'classifier': 'fitted'}
KEPT = {HOOK + 'classifier': 'kept'}
# The last clustering is 30 iterations before the end. The first checkpoint
# holds the first labels.
EVERY_90 = {
    HOOK + 'interval': 90,
    'default_hooks.checkpoint.interval': 50,
}
# A training of its own, not the first third of a longer one: its rate
# decreases over its own last iterations.
THIRD = {
    HOOK + 'interval': 30,
    'train_cfg.max_iters': 100,
    'param_scheduler.1.begin': 80,
    'param_scheduler.1.T_max': 20,
    'param_scheduler.1.end': 100,
    'default_hooks.checkpoint.interval': 25,
}
BALANCE = {'model.balance': dict(type='SinkhornBalance')}
PRIOR = {'model.decode_head.loss_decode.type': 'PriorCorrectedLoss'}
MOMENTUM = {'model.teacher_momentum': 0.001}
CORR = dict(type='CorrespondenceLoss')
CONSISTENCY = {'model.loss_corr': [CORR, dict(type='ConsistencyLoss')]}
ENTROPY = {
    'model.loss_corr': [CORR, dict(type='MeanEntropyLoss', loss_weight=0.1)]
}
CONTRAST = {'model.loss_feat': dict(type='PrototypeContrastiveLoss')}
EQUAL = {'default_hooks.equipartition': dict(type='EquipartitionHook')}
OPTIONS: dict[str, dict[str, Any]] = {
    'whitened': WHITENED,
    'means': MEANS,
    'fitted': FITTED,
    'kept': KEPT,
    'means-fitted': MEANS | FITTED,
    'means-fitted-90': MEANS | FITTED | EVERY_90,
    'third': THIRD,
    'means-fitted-third': MEANS | FITTED | THIRD,
    'means-fitted-third-equal': MEANS | FITTED | THIRD | EQUAL,
    'means-kept': MEANS | KEPT,
    'balance': BALANCE,
    'prior': PRIOR,
    'momentum': MOMENTUM,
    'consistency': CONSISTENCY,
    'entropy': ENTROPY,
    'contrast': CONTRAST,
    'means-fitted-balance': MEANS | FITTED | BALANCE,
    'means-fitted-prior': MEANS | FITTED | PRIOR,
    'means-fitted-90-equal': MEANS | FITTED | EVERY_90 | EQUAL,
    'means-fitted-90-entropy': MEANS | FITTED | EVERY_90 | ENTROPY,
}
BEST = 'means-fitted-90'
# Tried at every K, the others at SINGLE only.
EVERYWHERE = (
    BEST,
    'means-fitted',
    'means-fitted-third',
    'means-fitted-third-equal',
    'means-fitted-balance',
    'means-fitted-prior',
    'means-fitted-90-equal',
    'means-fitted-90-entropy',
)
ROWS = tuple(
    [GridRow(f'c{k}', k) for k in NUMBERS]
    + [GridRow(f'c{k}-nocorr', k, NO_CORR) for k in NUMBERS]
    + [
        GridRow(f'c{SINGLE}-noseg', SINGLE, NO_SEG),
        GridRow(f'c{SINGLE}-hinge', SINGLE, HINGE),
        GridRow(f'c{SINGLE}-random', SINGLE, RANDOM),
    ]
    + [
        GridRow(f'c{k}-{name}', k, changes)
        for k in NUMBERS
        for name, changes in OPTIONS.items()
        if k == SINGLE or name in EVERYWHERE
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
    pretrained = dict(type='Pretrained', checkpoint=str(start))
    config.merge_from_dict(
        {
            'model.num_clusters': row.num_clusters,
            'model.init_cfg': pretrained,
            'randomness': dict(seed=seed),
            'train_cfg.val_begin': config.train_cfg.max_iters + 1,
            'default_hooks.visualization.draw': False,
            **copy.deepcopy(row.changes),
        }
    )
    for key in ('save_best', 'rule'):
        config.default_hooks.checkpoint.pop(key, None)
    return config
