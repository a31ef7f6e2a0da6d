"""Turn a folder of photos into correspondence files to train on.

Each folder inside IMAGES is a place; photos directly in IMAGES are one more.
Features, matching and reconstruction run with pycolmap on the CPU; a run
that was stopped goes on. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.localization.flags import (
    add_flags,
    add_pair_flags,
    from_flags,
)
from fgsn_mmseg.localization.pair_filters import PairFilters
from fgsn_mmseg.localization.photos import images_to_correspondences


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('images', help='folder of photos')
    parser.add_argument('out', help='folder to write to')
    add_flags(
        parser, PairFilters(), min_matches='correspondences that a pair needs'
    )
    add_pair_flags(parser)
    parser.add_argument(
        '--num-threads',
        type=int,
        default=-1,
        help='threads of pycolmap; -1 takes all cores',
    )
    return parser.parse_args()


def main() -> None:
    """Reconstruct, convert, tell."""
    args = parse_args()
    try:
        report = images_to_correspondences(
            args.images,
            args.out,
            filters=from_flags(args, PairFilters),
            num_places=args.places,
            train_share=args.train_share,
            seed=args.seed,
            num_threads=args.num_threads,
        )
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print(
        f'{report.num_images} photos gave {report.num_models} models and '
        f'{report.num_train + report.num_val} pairs: {report.num_train} for '
        f'training, {report.num_val} for validation; written to {args.out}'
    )
    for place in report.two_view:
        print(f'no model of {place}: pairs are of two-view geometries')
    for name, reason in report.left_out.items():
        print(f'left out {name}: {reason}')


if __name__ == '__main__':
    main()
