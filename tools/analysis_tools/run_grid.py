"""Run the paper's experiments one after another, or print their commands.

A finished experiment is skipped and one that was cut off goes on. Groups:
main ({CMU, RobotCar} x {20, 100, 200, 1000}), joined, starts, ablations, or
regular expressions of config names.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.apis import list_experiments
from fgsn_mmseg.engine.training_run import run_command

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'fgsn'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        'groups',
        nargs='*',
        default=['main'],
        help='what to run (default: main)',
    )
    parser.add_argument(
        '--print',
        action='store_true',
        dest='print_only',
        help='print the commands, one a line, and run nothing',
    )
    parser.add_argument(
        '--configs', default=str(CONFIGS), help='folder of the configs'
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs',
        help='each experiment has its folder in it',
    )
    parser.add_argument(
        '--gpus', type=int, default=1, help='processes of a training'
    )
    parser.add_argument(
        '--train-args',
        default='',
        help="further arguments for mmseg's tools/train.py, one string, "
        'e.g. "--cfg-options train_dataloader.num_workers=8"',
    )
    return parser.parse_args()


def main() -> None:
    """List, then print or run."""
    args = parse_args()
    try:
        experiments = list_experiments(
            args.configs,
            args.groups,
            args.work_dir,
            args.gpus,
            shlex.split(args.train_args),
        )
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    if args.print_only:
        for experiment in experiments:
            print(shlex.join(experiment.command))
        return
    failed = []
    for number, experiment in enumerate(experiments, 1):
        name = experiment.config.stem
        title = f'[{number}/{len(experiments)}] {name}'
        if experiment.finished:
            print(f'{title}: finished before', flush=True)
            continue
        print(title, flush=True)
        if run_command(experiment.command):
            failed.append(name)
    if failed:
        sys.exit(
            f'error: {len(failed)} of {len(experiments)} experiments failed, '
            f'the first: {failed[0]}'
        )


if __name__ == '__main__':
    main()
