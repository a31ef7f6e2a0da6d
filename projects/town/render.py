"""Render a small town in six conditions, with all its truth.

The folder holds images, class maps, correspondences, poses and a sparse map
in the formats of the published data sets. A run that was cut off goes on
where it stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from mmengine import ProgressBar

from town import SIZES, generate_world, settings_for


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    own = '(default: by size)'
    add('out', type=Path, help='folder of the world')
    add(
        '--size',
        default='demo',
        choices=sorted(SIZES),
        help='tiny: for tests; demo: a minute or two; full: thousands of '
        'images (default: %(default)s)',
    )
    add(
        '--seed',
        type=int,
        default=0,
        help='same seed, same bytes (default: %(default)s)',
    )
    add(
        '--workers',
        type=int,
        default=os.cpu_count() or 1,
        help='processes (default: number of cores, here %(default)s)',
    )
    add('--width', type=int, help=f'image width in pixels {own}')
    add('--height', type=int, help=f'image height in pixels {own}')
    add('--train-streets', type=int, help=f'streets for training {own}')
    add('--val-streets', type=int, help=f'other streets, held out {own}')
    add('--places', type=int, help=f'reference images a street {own}')
    add('--max-points', type=int, help=f'most matches a pair {own}')
    add(
        '--noise-px',
        type=float,
        default=0.0,
        help='standard deviation of noise on matches, pixels (default: 0)',
    )
    add(
        '--wrong-share',
        type=float,
        default=0.0,
        help='share of matches that are wrong, 0..1 (default: 0)',
    )
    add(
        '--save-depth',
        action='store_true',
        help='also write depth maps (default: no)',
    )
    return parser.parse_args()


def main() -> None:
    """Render the world."""
    args = vars(parse_args())
    out, size, workers = (args.pop(k) for k in ('out', 'size', 'workers'))
    try:
        settings = settings_for(size, **args)
        bar = ProgressBar(len(settings.image_keys()), file=sys.stderr)
        generate_world(out, settings, workers, lambda *_: bar.update())
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    print(f'\nThe town is in {out}.')


if __name__ == '__main__':
    main()
