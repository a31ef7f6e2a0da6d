"""Turn a COLMAP model into correspondence files to train on.

OUT gets correspondence_data/, corr_train.txt, corr_val.txt,
reference_image_names.txt and images, a link to IMAGES. Training and
validation are divided by place. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.localization.colmap_pairs import colmap_to_correspondences
from fgsn_mmseg.localization.flags import (
    add_flags,
    add_pair_flags,
    add_reference_flags,
    from_flags,
)
from fgsn_mmseg.localization.pair_filters import PairFilters


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('model', help='folder of a COLMAP model')
    parser.add_argument('images', help='folder of its images')
    parser.add_argument('out', help='folder to write to')
    add_reference_flags(parser)
    add_flags(
        parser,
        PairFilters(),
        min_matches='correspondences that a pair needs',
        min_track_length='images that a point needs',
        max_reprojection_error='pixels that a keypoint may be off its point',
        min_triangulation_angle="degrees between the rays of a point's track",
        max_view_angle='degrees between the optical axes of a pair',
    )
    parser.add_argument(
        '--undistort',
        action='store_true',
        help='undo the lens distortion; default: points lie on the images as '
        'they are',
    )
    add_pair_flags(parser)
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
            filters=from_flags(args, PairFilters),
            prefix=args.prefix,
            undistort=args.undistort,
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
