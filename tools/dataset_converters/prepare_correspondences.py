"""Make a published cross-season tree ready for training.

Counts what is there, says what is missing and where to get it, writes
corr_train.txt, corr_val.txt and reference_image_names.txt or checks those
that are there, and builds the index of reference images.
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.datasets.preparation import (
    build_reference_index,
    describe_tree,
    prepare_lists,
    scan_pair_tree,
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        'data_root', help='folder with correspondence_data/ and images/'
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
        '--nproc', type=int, default=4, help='number of processes'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='make new lists even where there are some',
    )
    return parser.parse_args()


def main() -> None:
    """Look, tell, write."""
    args = parse_args()
    try:
        tree = scan_pair_tree(args.data_root, args.nproc)
        print('\n'.join(describe_tree(args.data_root, tree)))
        report = prepare_lists(
            args.data_root,
            tree,
            args.train_share,
            args.seed,
            args.overwrite,
        )
        print('\n'.join(report))
        print(build_reference_index(args.data_root))
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
