"""Agreement of labels that nothing had to be learnt for.

Clusters pixels of the training pairs' reference images by k-means, labels the
correspondences of the validation pairs and prints how well both images of a
pair agree: the rows that a trained network has to beat.
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys

import numpy as np
from prettytable import PrettyTable

from fgsn_mmseg.datasets import read_names
from fgsn_mmseg.evaluation import BASELINES, kmeans_baseline

FIGURES = ('match_bits', 'agreement', 'chance', 'mutual_information')


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
        '--train', default='corr_train.txt', help='list of training pairs'
    )
    parser.add_argument(
        '--val', default='corr_val.txt', help='list of validation pairs'
    )
    parser.add_argument(
        '--features',
        nargs='+',
        choices=sorted(BASELINES),
        default=sorted(BASELINES),
        help='what to cluster',
    )
    parser.add_argument(
        '--num-clusters', nargs='+', type=int, default=[20], help='every K'
    )
    parser.add_argument(
        '--seeds', type=int, default=5, help='number of seeds, 0, 1, 2 ...'
    )
    parser.add_argument(
        '--short-side',
        type=int,
        default=288,
        help='images are resized to this short side',
    )
    parser.add_argument(
        '--features-per-image',
        type=int,
        default=500,
        help='pixels of a training image at most',
    )
    parser.add_argument(
        '--group-by',
        help='regular expression with one group, searched in the path of the '
        'target image: a row for each value, e.g. "([^/]*)/[^/]*$"',
    )
    return parser.parse_args()


def make_table(args: argparse.Namespace) -> PrettyTable:
    """Run all baselines; one line for each K and group, mean +- spread."""
    table = PrettyTable(
        ['features', 'K', 'targets', *FIGURES, 'used_clusters']
    )
    table.align = 'l'
    train_files = _pair_files(args.data_root, args.train)
    val_files = _pair_files(args.data_root, args.val)
    for name in args.features:
        rows = kmeans_baseline(
            train_files,
            val_files,
            osp.join(args.data_root, 'images'),
            BASELINES[name],
            args.num_clusters,
            range(args.seeds),
            args.short_side,
            args.features_per_image,
            args.group_by,
        )
        groups = list(dict.fromkeys(row['group'] for row in rows))
        for k in args.num_clusters:
            for group in groups:
                same = [
                    row
                    for row in rows
                    if (row['num_clusters'], row['group']) == (k, group)
                ]
                table.add_row(
                    [
                        name,
                        k,
                        group,
                        *(
                            _spread([row[key] for row in same], 3)
                            for key in FIGURES
                        ),
                        _spread([row['used_clusters'] for row in same], 1),
                    ]
                )
    return table


def _pair_files(data_root: str, list_file: str) -> list[str]:
    """Paths of the correspondence files that a list names."""
    folder = osp.join(data_root, 'correspondence_data')
    names = read_names(osp.join(data_root, list_file))
    return [osp.join(folder, name) for name in names]


def _spread(values: list[float], digits: int) -> str:
    """Mean +- standard deviation over the seeds."""
    mean, std = np.mean(values), np.std(values)
    return f'{mean:.{digits}f} +- {std:.{digits}f}'


def main() -> None:
    """Measure and print."""
    args = parse_args()
    try:
        table = make_table(args)
    except (OSError, ValueError) as error:
        sys.exit(f'kmeans_baseline.py: {error}')
    print(f'\n{args.seeds} seeds, short side {args.short_side}')
    print(table)


if __name__ == '__main__':
    main()
