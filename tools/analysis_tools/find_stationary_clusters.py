"""Find the clusters that lie on things that stay (buildings, not cars).

Over every fifth validation pair: the share of each cluster's pixels that
carry a correspondence. Writes stationary_clusters.json, .npz and .png, the
last with example patches of every cluster.
"""

from __future__ import annotations

import argparse
import sys

import torch
from mmengine import DictAction

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.apis import (
    find_stationary_clusters,
    load_segmentor,
    write_stationary_clusters,
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('config', help='config of the training')
    parser.add_argument('checkpoint', help='checkpoint of an FGSN')
    parser.add_argument('out', help='folder to write to')
    parser.add_argument(
        '--step', type=int, default=5, help='distance between the pairs'
    )
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.01,
        help='a cluster is stationary above this share of its pixels',
    )
    parser.add_argument(
        '--patches', type=int, default=8, help='example patches of a cluster'
    )
    parser.add_argument(
        '--patch-size',
        type=int,
        default=64,
        help='side of a patch in pixels of the file',
    )
    parser.add_argument(
        '--max-clusters',
        type=int,
        default=100,
        help='clusters in the picture; of more, those of the highest and of '
        'the lowest share',
    )
    parser.add_argument(
        '--device',
        default='cuda:0' if torch.cuda.is_available() else 'cpu',
        help='where the network runs',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default=None,
        help='keys to override in the config, key=value',
    )
    return parser.parse_args()


def main() -> None:
    """Count, write, tell."""
    args = parse_args()
    try:
        found = find_stationary_clusters(
            load_segmentor(
                args.config, args.checkpoint, args.device, args.cfg_options
            ),
            args.step,
            args.threshold,
            args.patches,
            args.patch_size,
        )
        write_stationary_clusters(found, args.out, args.max_clusters)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(
        f'\n{len(found.ids)} of {len(found.at_points)} clusters are '
        f'stationary over {found.num_images} images; written to {args.out}'
    )


if __name__ == '__main__':
    main()
