"""Kill small trainings at random moments, resume them, compare bit for bit.

Each is killed (SIGKILL, its loader workers too) once or twice, a part of them
on purpose inside a clustering, a validation or the writing of a checkpoint,
and is then resumed to its end. What it leaves is compared with a training
that was never killed: weights, codebook, teacher, optimizer, logged figures,
validations, the best checkpoint and the names of all files.
"""

from __future__ import annotations

import os

# A process is forked for each run: threads would not survive that.
os.environ['OMP_NUM_THREADS'] = '1'

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.apis.benchmarks.pictures import make_pairs
from fgsn_mmseg.apis.kill_trials import run_trials, summary
from fgsn_mmseg.apis.kill_trials.small_run import SIZE

# What a run imports late, here once for all.
LATE = (
    'torch._dynamo',
    'matplotlib.pyplot',
    'matplotlib.backends.backend_agg',
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--trials', type=int, default=40, help='how many')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument(
        '--work-dir',
        type=Path,
        help='folder that keeps the runs; None: they are deleted',
    )
    return parser.parse_args()


def main() -> None:
    """Run the trials, print a line for each."""
    args = parse_args()
    if args.trials < 1:
        sys.exit(
            f'error: `--trials` should be positive, but got {args.trials}.'
        )
    for name in LATE:
        importlib.import_module(name)
    outcomes = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.work_dir or Path(temporary)
        root = folder / 'pairs'
        make_pairs(str(root), SIZE)
        for outcome in run_trials(root, folder, args.trials, args.seed):
            outcomes.append(outcome)
            found = '; '.join(outcome.differences[:3]) or 'bit-equal'
            hits = ', '.join(outcome.hits)
            print(
                f'{len(outcomes)}: {outcome.num_workers} workers, killed at '
                f'{hits}: {found}',
                flush=True,
            )
    equal = sum(not outcome.differences for outcome in outcomes)
    print(summary(outcomes))
    print(f'{equal}/{len(outcomes)} bit-equal')
    sys.exit(equal != len(outcomes))


if __name__ == '__main__':
    main()
