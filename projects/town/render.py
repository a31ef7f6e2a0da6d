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
    add('out', type=Path, help='folder of the world')
    add(
        '--size',
        default='study',
        choices=sorted(SIZES),
        help='tiny: for tests; demo: of `make demo`, a minute; study: twice '
        'as large images; full: thousands of them (default: %(default)s)',
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
    for name, kind, text in (
        ('width', int, 'image width in pixels'),
        ('height', int, 'image height in pixels'),
        ('train-streets', int, 'streets for training'),
        ('val-streets', int, 'other streets, held out'),
        ('places', int, 'reference images a street'),
        ('max-points', int, 'most matches a pair'),
        ('noise-px', float, 'standard deviation of noise on matches, pixels'),
        ('wrong-share', float, 'share of matches that are wrong, 0..1'),
    ):
        add(f'--{name}', type=kind, help=f'{text} (default: by size)')
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
