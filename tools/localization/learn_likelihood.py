"""Learn what pairs of labels say about a match, from correspondence files.

Right matches are the correspondences of PAIRS (a list, such as
corr_train.txt, beside correspondence_data/ and images/), wrong ones SIFT's
nearest neighbours that their geometry rules out. OUT.npz is for
localize.py --method llr --table OUT.npz.
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys

from fgsn_mmseg.datasets import read_names
from fgsn_mmseg.localization.label_maps import LabelMaps
from fgsn_mmseg.localization.learning import learn_likelihood


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('pairs', help='list of pair files')
    parser.add_argument('labels', help='folder of label maps of the images')
    parser.add_argument('num_clusters', type=int, help='number of labels K')
    parser.add_argument('out', help='file to write, .npz')
    parser.add_argument(
        '--min-error',
        type=float,
        default=20.0,
        help='pixels off its epipolar line at which a match is wrong',
    )
    return parser.parse_args()


def main() -> None:
    """Count, write, tell."""
    args = parse_args()
    root = osp.dirname(osp.abspath(args.pairs))
    try:
        table, right, wrong = learn_likelihood(
            [
                osp.join(root, 'correspondence_data', name)
                for name in read_names(args.pairs)
            ],
            osp.join(root, 'images'),
            LabelMaps(args.labels, args.num_clusters),
            args.num_clusters,
            args.min_error,
        )
        table.save(args.out)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(
        f'{right} right and {wrong} wrong pairs of labels counted, each in '
        f'both directions; written to {args.out}'
    )


if __name__ == '__main__':
    main()
