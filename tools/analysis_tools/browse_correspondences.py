"""Draw pairs with their matches, before and after the pipeline."""

from __future__ import annotations

import argparse
import os.path as osp
import sys

from mmengine import Config, DictAction

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.apis import browse_correspondences


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('config', help='config of a training')
    parser.add_argument('out', help='folder to write to')
    parser.add_argument(
        '--split',
        choices=('train', 'val', 'test'),
        default='train',
        help='loader whose pairs are drawn',
    )
    parser.add_argument(
        '--number',
        type=int,
        default=8,
        help='pairs, spread evenly over the set',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='of the random transforms'
    )
    parser.add_argument(
        '--height',
        type=int,
        default=360,
        help='of each image in the picture, in pixels',
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
    """Draw."""
    args = parse_args()
    try:
        if not osp.isfile(args.config):
            raise FileNotFoundError(f'There is no config {args.config!r}.')
        config = Config.fromfile(args.config)
        config.merge_from_dict(args.cfg_options or {})
        paths = browse_correspondences(
            config, args.out, args.split, args.number, args.seed, args.height
        )
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(f'\n{len(paths)} pictures written to {args.out}')


if __name__ == '__main__':
    main()
