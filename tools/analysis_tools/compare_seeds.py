"""Train variants of one config over several seeds and print one table.

Each run is mmseg's own ``tools/train.py`` in a process of its own. What was
trained or measured before is not repeated, and the table is written anew
after each run: start it again with more variants, numbers of clusters or
seeds to add rows, or at once in a second process with other seeds. Figures
before training are those of the first teacher's labels, figures after are
those of the last checkpoint, on the training pairs and on the held-out pairs.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.engine.training_run import (
    first_checkpoint,
    train_once,
    with_data_root,
)

FIGURES = (
    'agreement',
    'chance',
    'match_bits',
    'match_bits_hard',
    'used_clusters',
)
WHO = dict(before='teacher_', after='')
"""Whose labels: the first teacher has not been trained."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('config', type=Path, help='config of an FGSN')
    parser.add_argument(
        '--variant',
        action='append',
        required=True,
        metavar='NAME:KEY=VALUE[,KEY=VALUE...]',
        help='a row of the table and what it changes in the config; several',
    )
    parser.add_argument(
        '--base',
        type=Path,
        help='config of a base network, trained once for each seed, from '
        'whose last checkpoint all variants start',
    )
    parser.add_argument(
        '--seeds', type=int, nargs='+', default=[0, 1, 2], help='seeds'
    )
    parser.add_argument(
        '--num-clusters',
        type=int,
        nargs='+',
        help='every K for all variants (default: that of the config)',
    )
    parser.add_argument(
        '--data-root',
        help='folder for every `data_root` in the configs (default: theirs)',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='changes of the config for all variants',
    )
    parser.add_argument(
        '--lists',
        nargs='+',
        default=['corr_train.txt', 'corr_val.txt'],
        help='list files to evaluate on, in the folder of `ann_file`',
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/compare_seeds'),
        help='where runs and figures go',
    )
    return parser.parse_args()


def variant_of(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``NAME:KEY=VALUE,...`` into the name and the options."""
    name, _, options = text.partition(':')
    pairs = [one.split('=', 1) for one in options.split(',') if one]
    if not all(len(pair) == 2 for pair in pairs):
        raise ValueError(
            f'`--variant` should be NAME:KEY=VALUE,..., but got {text!r}.'
        )
    values = {key: DictAction._parse_iterable(v) for key, v in pairs}
    return name, values


@dataclass(frozen=True)
class Run:
    """One training, finished or not."""

    variant: str
    seed: int
    config: Config
    work_dir: Path


def planned_runs(args: argparse.Namespace) -> Iterator[Run]:
    """All runs, seed by seed; trains the base network of each if need be."""
    variants = [variant_of(text) for text in args.variant]
    for seed in args.seeds:
        start: dict[str, Any] = {}
        if args.base is not None:
            base = seeded_config(args.base, args.data_root, {}, seed)
            folder = args.work_dir / f'base_seed{seed}'
            checkpoint = str(train_once(base, folder, True))
            start['model.init_cfg'] = dict(
                type='Pretrained', checkpoint=checkpoint
            )
        for k, (name, options) in itertools.product(
            args.num_clusters or [None], variants
        ):
            changes = {**start, **args.cfg_options, **options}
            if k is not None:
                changes['model.num_clusters'] = k
                name = f'{name}-c{k}'
            config = seeded_config(args.config, args.data_root, changes, seed)
            yield Run(name, seed, config, args.work_dir / f'{name}_seed{seed}')


def seeded_config(
    path: Path, data_root: str | None, changes: dict[str, Any], seed: int
) -> Config:
    """Config of one run.

    Args:
        path: Config of all.
        data_root: Folder of all data, or None: as the config says.
        changes: By key, dots between levels.
        seed: Of everything.
    """
    config = Config.fromfile(path)
    if data_root is not None:
        with_data_root(config, data_root)
    config.merge_from_dict(copy.deepcopy(changes))
    config.merge_from_dict({'randomness.seed': seed})
    return config


def evaluate(run: Run, checkpoint: Path, names: str) -> dict[str, float]:
    """Figures of a checkpoint on the pairs of a list; kept beside it."""
    kept = checkpoint.with_name(f'{checkpoint.stem}_{Path(names).stem}.json')
    if kept.exists():
        return json.loads(kept.read_text())
    config = copy.deepcopy(run.config)
    dataset = config.test_dataloader.dataset
    for part in dataset.get('datasets', [dataset]):
        part.ann_file = str(Path(part.ann_file).with_name(names))
    config.load_from = str(checkpoint)
    config.work_dir = str(run.work_dir / 'evaluation')
    config.experiment_name = f'{run.work_dir.name}_{kept.stem}'
    figures = Runner.from_cfg(config).test()
    kept.write_text(json.dumps(figures))
    return figures


def table_rows(
    labels: list[str], figures: list[dict[str, float]], who: str
) -> Iterator[str]:
    """Markdown rows of some runs: of all pairs, then of each group.

    Args:
        labels: Pairs, variant and time.
        figures: Of each seed.
        who: '' for the student, 'teacher_' for the teacher.
    """
    start = f'{who}match_bits/'
    groups = [key[len(start) :] for key in figures[0] if key.startswith(start)]
    for group in ('', *groups):
        end = f'/{group}' if group else ''
        cells = [
            mean_and_spread(
                [one[f'{who}{name}{end}'] for one in figures],
                1 if name == 'used_clusters' else 3,
            )
            if f'{who}{name}{end}' in figures[0]
            else '-'
            for name in FIGURES
        ]
        pairs = f'{labels[0]}, {group}' if group else labels[0]
        cells = [pairs, *labels[1:], str(len(figures)), *cells]
        yield f'| {" | ".join(cells)} |'


def mean_and_spread(values: list[float], digits: int) -> str:
    """Mean, and +- standard deviation if there are several."""
    text = f'{np.mean(values):.{digits}f}'
    if len(values) > 1:
        text += f' ± {np.std(values, ddof=1):.{digits}f}'
    return text


def compare(args: argparse.Namespace) -> str:
    """Train and evaluate what is missing; the table."""
    head = ['pairs', 'variant', 'when', 'seeds', *FIGURES]
    rule = '|' + '---|' * len(head)
    measured: dict[tuple[str, str, str], list[dict[str, float]]] = {}
    text = ''
    for run in planned_runs(args):
        print(run.work_dir.name, file=sys.stderr, flush=True)
        last = train_once(run.config, run.work_dir, True)
        first = first_checkpoint(run.config, run.work_dir)
        for names in args.lists:
            for when, path in (('before', first), ('after', last)):
                key = (Path(names).stem, run.variant, when)
                measured.setdefault(key, []).append(evaluate(run, path, names))
        lines = [f'| {" | ".join(head)} |', rule]
        for names, when in itertools.product(args.lists, WHO):
            for key, figures in measured.items():
                if (key[0], key[2]) == (Path(names).stem, when):
                    lines += table_rows([*key], figures, WHO[when])
        text = '\n'.join(lines) + '\n'
        (args.work_dir / 'table.md').write_text(text)
    return text


def main() -> None:
    """Train, evaluate, print."""
    args = parse_args()
    for config in (args.config, args.base):
        if config is not None and not config.is_file():
            sys.exit(f'There is no config {str(config)!r}.')
    try:
        table = compare(args)
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'compare_seeds.py: {error}')
    sys.stdout.write(table)


if __name__ == '__main__':
    main()
