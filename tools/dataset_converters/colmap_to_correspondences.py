"""Turn a COLMAP model into correspondence files to train on.

OUT gets correspondence_data/, corr_train.txt, corr_val.txt,
reference_image_names.txt and images, a link to IMAGES. Training and
validation are divided by place. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.localization.colmap_pairs import colmap_to_correspondences
from fgsn_mmseg.localization.pair_filters import PairFilters


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    limits = PairFilters()
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('model', help='folder of a COLMAP model')
    parser.add_argument('images', help='folder of its images')
    parser.add_argument('out', help='folder to write to')
    parser.add_argument(
        '--references',
        nargs='+',
        default=None,
        help='reference images: a list file, a pattern, a folder, a name; '
        'they are paired with all others. By default every image is the '
        'reference of all others',
    )
    parser.add_argument(
        '--prefix',
        default='',
        help="put before the model's names to find them in IMAGES",
    )
    parser.add_argument(
        '--min-matches',
        type=int,
        default=limits.min_matches,
        help='correspondences that a pair needs',
    )
    parser.add_argument(
        '--min-track-length',
        type=int,
        default=limits.min_track_length,
        help='images that a point needs',
    )
    parser.add_argument(
        '--max-reprojection-error',
        type=float,
        default=limits.max_reprojection_error,
        help='pixels that a keypoint may be off its point',
    )
    parser.add_argument(
        '--min-triangulation-angle',
        type=float,
        default=limits.min_triangulation_angle,
        help="degrees between the rays of a point's track",
    )
    parser.add_argument(
        '--max-view-angle',
        type=float,
        default=limits.max_view_angle,
        help='degrees between the optical axes of a pair',
    )
    parser.add_argument(
        '--undistort',
        action='store_true',
        help='undo the lens distortion; default: points lie on the images as '
        'they are',
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
        report = colmap_to_correspondences(
            args.model,
            args.images,
            args.out,
            references=args.references,
            filters=PairFilters(
                args.min_matches,
                args.min_track_length,
                args.max_reprojection_error,
                args.min_triangulation_angle,
                args.max_view_angle,
            ),
            prefix=args.prefix,
            undistort=args.undistort,
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
