"""Match queries with a map by OpenCV's SIFT, for those who have no hloc.

Writes OUT/features.h5 and OUT/matches.h5 as hloc does; localize.py goes on
from there. Any COLMAP model will do: a feature of a database image stands for
the nearest keypoint that has a 3D point. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys

from fgsn_mmseg.localization.flags import add_flags, from_flags
from fgsn_mmseg.localization.hloc_lists import read_retrieval
from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.sift_matches import SiftOptions, match_by_sift


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('model', help='COLMAP model')
    parser.add_argument('images', help='folder of its images and the queries')
    parser.add_argument('retrieval', help='list of pairs "query database"')
    parser.add_argument('out', help='folder to write to')
    add_flags(
        parser,
        SiftOptions(),
        ratio='largest ratio of the distances to the nearest and the second '
        'nearest descriptor; 1 keeps all, so that labels decide',
        max_distance='pixels from a feature to the keypoint that it stands '
        'for',
        max_features='features of an image at most',
        contrast='lower finds more features in dark images',
    )
    return parser.parse_args()


def main() -> None:
    """Match, write, tell."""
    args = parse_args()
    try:
        counts = match_by_sift(
            read_model(args.model),
            args.images,
            read_retrieval(args.retrieval),
            osp.join(args.out, 'features.h5'),
            osp.join(args.out, 'matches.h5'),
            from_flags(args, SiftOptions),
        )
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print(
        f'{sum(counts.values())} matches of {len(counts)} queries; written '
        f'to {args.out}'
    )
    for name, count in counts.items():
        if not count:
            print(f'no matches of {name}')


if __name__ == '__main__':
    main()
