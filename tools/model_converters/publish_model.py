"""Strip teacher, codebook and optimizer from a checkpoint for release."""

from __future__ import annotations

import argparse
import os
import sys

from fgsn_mmseg.models.converters import publish_checkpoint


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('src', help='checkpoint of a training')
    parser.add_argument('dst', help='checkpoint to write')
    parser.add_argument(
        '--add-hash',
        action='store_true',
        help='put the first 8 digits of the file hash before the extension '
        'of DST, as OpenMMLab does',
    )
    return parser.parse_args()


def main() -> None:
    """Strip, and tell what was left out."""
    args = parse_args()
    try:
        done = publish_checkpoint(args.src, args.dst)
        path = args.dst
        if args.add_hash:
            stem, suffix = os.path.splitext(args.dst)
            path = f'{stem}-{done.sha256[:8]}{suffix}'
            os.replace(args.dst, path)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    for name, count in done.dropped.items():
        print(f'left out: {name} ({count})')
    print(f'{done.kept} tensors written to {path}, sha256 {done.sha256}')


if __name__ == '__main__':
    main()
