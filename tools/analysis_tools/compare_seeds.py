"""Train variants of one config over several seeds and print one table.

Each run is mmseg's own ``tools/train.py`` in a process of its own; a run that
has finished is not repeated. Figures before training are those of the first
teacher's labels, figures after are those of the last checkpoint, on the
training pairs and on the held-out pairs.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.engine.training_run import train_once

FIGURES = ('agreement', 'chance', 'match_bits', 'used_clusters')


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
        '--first',
        type=int,
        required=True,
        help='iteration of a checkpoint that holds the first teacher',
    )
    parser.add_argument(
        '--lists',
        nargs='+',
        default=['corr_train.txt', 'corr_val.txt'],
        help='list files to evaluate on',
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


def variant_config(
    path: Path, options: dict[str, Any], seed: int, base: Path | None
) -> Config:
    """Config of one run.

    Args:
        path: Config of all.
        options: What the variant changes.
        seed: Of everything.
        base: Checkpoint to start from.
    """
    config = Config.fromfile(path)
    config.merge_from_dict(options)
    config.merge_from_dict({'randomness.seed': seed})
    if base is not None:
        start = dict(type='Pretrained', checkpoint=str(base))
        config.model.init_cfg = start
    return config


def evaluate(config: Config, checkpoint: Path, names: str) -> dict[str, float]:
    """Figures of a checkpoint on the pairs of a list; kept beside it."""
    kept = checkpoint.with_name(f'{checkpoint.stem}_{Path(names).stem}.json')
    if kept.exists():
        return json.loads(kept.read_text())
    config = copy.deepcopy(config)
    config.test_dataloader.dataset.ann_file = names
    config.load_from = str(checkpoint)
    config.work_dir = str(checkpoint.parent / 'evaluation')
    config.experiment_name = f'{checkpoint.parent.name}_{kept.stem}'
    figures = Runner.from_cfg(config).test()
    kept.write_text(json.dumps(figures))
    return figures


def row(name: str, runs: list[dict[str, float]], prefix: str = '') -> str:
    """One markdown row: mean +- standard deviation over the seeds."""
    cells = []
    for figure in FIGURES:
        values = np.array([run[prefix + figure] for run in runs])
        digits = 1 if figure == 'used_clusters' else 3
        cells.append(
            f'{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}'
            if len(values) > 1
            else f'{values[0]:.{digits}f}'
        )
    return f'| {name} | ' + ' | '.join(cells) + ' |'


def compare(args: argparse.Namespace) -> str:
    """Train and evaluate what is missing; the table."""
    runs: dict[str, list[tuple[Config, Path]]] = {}
    for text in args.variant:
        name, options = variant_of(text)
        for seed in args.seeds:
            base = None
            if args.base is not None:
                base = train_once(
                    variant_config(args.base, {}, seed, None),
                    args.work_dir / f'base_seed{seed}',
                )
            config = variant_config(args.config, options, seed, base)
            last = train_once(config, args.work_dir / f'{name}_seed{seed}')
            runs.setdefault(name, []).append((config, last))
    lines = [
        '| pairs | variant | when | ' + ' | '.join(FIGURES) + ' |',
        '|---|---|---|' + '---|' * len(FIGURES),
    ]
    for names in args.lists:
        for name, own in runs.items():
            for when, prefix in (('before', 'teacher_'), ('after', '')):
                figures = []
                for config, last in own:
                    first = last.with_name(f'iter_{args.first}.pth')
                    path = first if when == 'before' else last
                    figures.append(evaluate(config, path, names))
                label = f'{Path(names).stem} | {name} | {when}'
                lines.append(row(label, figures, prefix))
    return '\n'.join(lines)


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
    (args.work_dir / 'table.md').write_text(table + '\n')
    sys.stdout.write(table + '\n')


if __name__ == '__main__':
    main()
