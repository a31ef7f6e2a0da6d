"""Convert a checkpoint of the authors' release for mmsegmentation."""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.models.converters import convert_checkpoint


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('src', help="authors' .pth, a bare state dict")
    parser.add_argument('dst', help='checkpoint to write')
    parser.add_argument(
        '--codebook',
        default=None,
        help='centroids_<iteration>.h5 of the same run; adds the codebook, '
        'and the network itself as teacher',
    )
    return parser.parse_args()


def main() -> None:
    """Convert and tell what had no place."""
    args = parse_args()
    try:
        done = convert_checkpoint(args.src, args.dst, args.codebook)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    for name in done.unplaced:
        print(f'not placed: {name}')
    model = 'fgsn-paper' if done.deep_stem else 'fgsn-torchvision'
    print(
        f'{len(done.state_dict)} tensors written to {args.dst}, '
        f'{len(done.unplaced)} not placed. Use it with '
        f'configs/_base_/models/pspnet_r101-d8_{model}.py and '
        f'{done.num_classes} classes.'
    )


if __name__ == '__main__':
    main()
