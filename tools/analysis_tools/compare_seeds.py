"""Train variants of one config over several seeds and print one table.

Each run is mmseg's own ``tools/train.py`` in a process of its own; a run that
has finished is not repeated. Figures before training are those of the first
teacher's labels, figures after are those of the last checkpoint, on the
training pairs and on the held-out pairs.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

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


def mmseg_tool(name: str) -> Path:
    """Path of one of mmseg's own tools."""
    spec = importlib.util.find_spec('mmseg')
    if spec is None or spec.origin is None:
        raise ImportError('mmsegmentation is missing: pip install fgsn-mmseg')
    return Path(spec.origin).parent / '.mim' / 'tools' / name


def options_of(variant: str) -> tuple[str, list[str]]:
    """Split ``NAME:KEY=VALUE,...`` into the name and the options."""
    name, _, options = variant.partition(':')
    return name, [option for option in options.split(',') if option]


def train(config: Path, work_dir: Path, options: list[str], seed: int) -> Path:
    """Train unless it was done; return the last checkpoint."""
    done = work_dir / 'last_checkpoint'
    finished = work_dir / 'finished'
    if not finished.exists():
        subprocess.run(
            [
                sys.executable,
                str(mmseg_tool('train.py')),
                str(config),
                '--work-dir',
                str(work_dir),
                '--resume',
                '--cfg-options',
                f'randomness.seed={seed}',
                *options,
            ],
            check=True,
        )
        finished.touch()
    return Path(done.read_text().strip())


def evaluate(
    config: Path, options: list[str], checkpoint: Path, names: str
) -> dict[str, float]:
    """Figures of a checkpoint on the pairs of a list; kept beside it."""
    kept = checkpoint.with_name(f'{checkpoint.stem}_{Path(names).stem}.json')
    if kept.exists():
        return json.loads(kept.read_text())
    from mmengine.config import Config, DictAction
    from mmengine.runner import Runner

    cfg = Config.fromfile(config)
    cfg.merge_from_dict(
        {
            key: DictAction._parse_iterable(value)
            for key, value in (option.split('=', 1) for option in options)
        }
    )
    cfg.test_dataloader.dataset.ann_file = names
    cfg.load_from = str(checkpoint)
    cfg.work_dir = str(checkpoint.parent / 'evaluation')
    cfg.experiment_name = f'{checkpoint.parent.name}_{kept.stem}'
    figures = Runner.from_cfg(cfg).test()
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


def main() -> None:
    """Train, evaluate, print."""
    args = parse_args()
    for config in (args.config, args.base):
        if config is not None and not config.is_file():
            sys.exit(f'There is no config {str(config)!r}.')
    lines = [
        '| pairs | variant | when | ' + ' | '.join(FIGURES) + ' |',
        '|---|---|---|' + '---|' * len(FIGURES),
    ]
    runs = []
    for variant in args.variant:
        name, options = options_of(variant)
        for seed in args.seeds:
            start = []
            if args.base is not None:
                base = train(
                    args.base, args.work_dir / f'base_seed{seed}', [], seed
                )
                start = [
                    'model.init_cfg.type=Pretrained',
                    f'model.init_cfg.checkpoint={base}',
                ]
            work_dir = args.work_dir / f'{name}_seed{seed}'
            last = train(args.config, work_dir, options + start, seed)
            runs.append((name, options, last))
    for names in args.lists:
        for variant in args.variant:
            name, options = options_of(variant)
            own = [last for other, _, last in runs if other == name]
            first = [last.with_name(f'iter_{args.first}.pth') for last in own]
            for when, prefix, paths in (
                ('before', 'teacher_', first),
                ('after', '', own),
            ):
                figures = [
                    evaluate(args.config, options, path, names)
                    for path in paths
                ]
                label = f'{Path(names).stem} | {name} | {when}'
                lines.append(row(label, figures, prefix))
    table = '\n'.join(lines)
    (args.work_dir / 'table.md').write_text(table + '\n')
    sys.stdout.write(table + '\n')


if __name__ == '__main__':
    main()
