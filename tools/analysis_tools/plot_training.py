"""Draw a training: losses, agreement, cluster sizes, clusterings marked.

Reads mmengine's JSON log and the names of the codebook files in the folder of
a training; runs that were resumed are joined.
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.apis import read_training_log
from fgsn_mmseg.visualization.training_curves import draw_training


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('work_dir', help='folder of the training')
    parser.add_argument(
        '--out',
        default=None,
        help='picture to write, .png, .pdf or .svg; None writes '
        'training.png into WORK_DIR',
    )
    parser.add_argument(
        '--smooth',
        type=int,
        default=1,
        help='logged values of a loss of which the mean is drawn',
    )
    parser.add_argument(
        '--dpi', type=int, default=120, help='resolution of a .png'
    )
    return parser.parse_args()


def main() -> None:
    """Read, draw."""
    args = parse_args()
    out = args.out or osp.join(args.work_dir, 'training.png')
    try:
        log = read_training_log(args.work_dir)
        figure = draw_training(log.curves, log.clusterings, args.smooth)
        figure.suptitle(osp.basename(osp.abspath(args.work_dir)), fontsize=10)
        figure.savefig(out, dpi=args.dpi)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    last = max((c[-1][0] for c in log.curves.values()), default=0)
    print(
        f'{last} iterations, {len(log.clusterings)} clusterings; '
        f'written to {out}'
    )


if __name__ == '__main__':
    main()
