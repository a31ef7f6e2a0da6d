"""Turn hloc's features.h5 and matches.h5 into correspondence files.

Matches are kept that fit the poses of a model (--model, needs the extra
[localization]) or, without one, a fundamental matrix of their own.
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.localization.flags import (
    add_pair_flags,
    add_reference_flags,
)
from fgsn_mmseg.localization.hloc_pairs import hloc_to_correspondences


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('features', help="hloc's features.h5")
    parser.add_argument('matches', help="hloc's matches.h5")
    parser.add_argument('images', help='folder of the images')
    parser.add_argument('out', help='folder to write to')
    parser.add_argument(
        '--model', default=None, help='folder of a COLMAP model'
    )
    add_reference_flags(parser)
    parser.add_argument(
        '--min-matches',
        type=int,
        default=30,
        help='correspondences that a pair needs',
    )
    parser.add_argument(
        '--max-error',
        type=float,
        default=4.0,
        help='pixels that a match may be off its epipolar line',
    )
    add_pair_flags(parser)
    return parser.parse_args()


def main() -> None:
    """Convert, tell."""
    args = parse_args()
    try:
        report = hloc_to_correspondences(
            args.features,
            args.matches,
            args.images,
            args.out,
            model_path=args.model,
            references=args.references,
            min_matches=args.min_matches,
            max_error=args.max_error,
            prefix=args.prefix,
            num_places=args.places,
            train_share=args.train_share,
            seed=args.seed,
            overwrite=args.overwrite,
        )
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print('\n'.join(report.lines(args.out)))


if __name__ == '__main__':
    main()
