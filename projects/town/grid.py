"""Try the claims of the method in the town and write down what came out.

Trains and measures one experiment after the other; what was measured is not
measured again, and the document is written anew after each.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mmengine import Config
from mmengine.registry import init_default_scope

import fgsn_mmseg  # noqa: F401  before mmseg, which needs mmcv.ops
from fgsn_mmseg.engine.training_run import train_once, with_data_root
from town.study import BASE_CONFIG, FGSN_CONFIG
from town.study.figures import before_and_after, learning_curve
from town.study.grid import GridRow, row_config, rows_named
from town.study.results import results_page
from town.study.without_learning import plain_figures


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('town', type=Path, help='folder of the town, see render.py')
    add('--rows', nargs='*', default=[], help='experiments; none: all')
    add('--seeds', nargs='+', type=int, default=[0, 1, 2], help='seeds')
    add('--base', type=Path, default=BASE_CONFIG, help='of the base network')
    add('--fgsn', type=Path, default=FGSN_CONFIG, help='config of the FGSN')
    add(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/town_grid'),
        help='folder of trainings and figures',
    )
    add(
        '--out',
        type=Path,
        default=Path(__file__).with_name('results.md'),
        help='document to write',
    )
    return parser.parse_args()


def measured(args: argparse.Namespace, row: GridRow, seed: int) -> Path:
    """File with the figures of an experiment."""
    return args.work_dir / f'{row.name}_seed{seed}.json'


def run(args: argparse.Namespace, row: GridRow, seed: int) -> None:
    """Train and measure one experiment."""
    config = with_data_root(Config.fromfile(args.fgsn), args.town)
    start = Path()
    if row.pretrained:
        base = with_data_root(Config.fromfile(args.base), args.town)
        base.randomness = dict(seed=seed)
        start = train_once(base, args.work_dir / f'base_seed{seed}', True)
    config = row_config(config, row, seed, start)
    work_dir = args.work_dir / f'{row.name}_seed{seed}'
    last = train_once(config, work_dir, True)
    figures: dict[str, Any] = {
        name: own for name, own, _ in before_and_after(config, work_dir, last)
    }
    figures['curve'] = learning_curve(config, work_dir, figures['after'])
    measured(args, row, seed).write_text(json.dumps(figures))


def plain(args: argparse.Namespace, number: int) -> dict[str, Any]:
    """Figures of what nothing had to be learnt for; kept in a file."""
    path = args.work_dir / f'plain_c{number}.json'
    if not path.exists():
        short_side = Config.fromfile(args.fgsn).short_side
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = plain_figures(args.town, number, short_side)
        path.write_text(json.dumps(figures))
    return json.loads(path.read_text())


def write(args: argparse.Namespace, rows: list[GridRow]) -> None:
    """Write the document of all that was measured so far."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        paths = [measured(args, row, seed) for seed in args.seeds]
        found = [json.loads(p.read_text()) for p in paths if p.exists()]
        if found:
            runs[row.name] = found
    numbers = {row.num_clusters for row in rows if row.name in runs}
    world = json.loads((args.town / 'world.json').read_text())
    command = ' '.join(['python projects/town/grid.py', *sys.argv[1:]])
    notes = [
        f'Command: `{command}`',
        f'Town: {json.dumps(world)}',
        f'Seeds of base network and FGSN: {args.seeds}; ± is the standard '
        'deviation over them',
        f'Configs: `{args.base.name}`, `{args.fgsn.name}`',
        'Measured: the last checkpoint, nothing selected on these pairs',
    ]
    page = results_page(runs, {k: plain(args, k) for k in numbers}, notes)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(page, encoding='utf-8')


def main() -> None:
    """Run what is missing, write the document."""
    args = parse_args()
    init_default_scope('mmseg')
    try:
        rows = rows_named(args.rows)
        jobs = [(row, seed) for seed in args.seeds for row in rows]
        for index, (row, seed) in enumerate(jobs, 1):
            if not measured(args, row, seed).exists():
                print(
                    f'{index} of {len(jobs)}: {row.name}, seed {seed}; its '
                    'log is in the folder of that name',
                    flush=True,
                )
                run(args, row, seed)
            write(args, rows)
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'grid.py: {error}')
    print(f'{len(jobs)} runs; written to {args.out}')


if __name__ == '__main__':
    main()
