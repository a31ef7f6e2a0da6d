"""Turn hloc's features.h5 and matches.h5 into correspondence files.

Matches are kept that fit the poses of a model (--model, needs the extra
[localization]) or, without one, a fundamental matrix of their own.
"""

from __future__ import annotations

import argparse
import sys

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
    parser.add_argument(
        '--references',
        nargs='+',
        default=None,
        help='reference images: a list file, a pattern, a folder, a name; '
        'by default every image is the reference of all others',
    )
    parser.add_argument(
        '--prefix',
        default='',
        help='put before the names to find the files in IMAGES',
    )
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
    parser.add_argument(
        '--places',
        type=int,
        default=10,
        help='groups of nearby reference images, each of which trains or '
        'validates as a whole',
    )
    parser.add_argument(
        '--train-share',
        type=float,
        default=0.7,
        help='share of the pairs that train',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the split'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='write into a folder that holds pairs',
    )
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
    print(
        f'{report.num_pairs} pairs of {report.num_images} images written to '
        f'{args.out}: {report.num_train} for training, {report.num_val} for '
        f'validation, {report.num_references} reference images'
    )
    if report.left_out:
        print(
            f'{len(report.left_out)} images are in no pair: '
            f'{", ".join(report.left_out[:5])}'
        )


if __name__ == '__main__':
    main()
