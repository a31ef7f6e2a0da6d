"""Convert the labels of Mapillary Vistas v1 to Cityscapes train ids."""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.datasets.vistas_conversion import convert_vistas


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        'root', help='folder of Vistas v1, with training/ and validation/'
    )
    parser.add_argument(
        '--out-dir',
        default=None,
        help='where <split>/labels/*_labelTrainIds.png go; None is ROOT',
    )
    parser.add_argument(
        '--splits',
        nargs='+',
        default=['training', 'validation'],
        choices=['training', 'validation'],
        help='which parts to convert',
    )
    parser.add_argument(
        '--nproc', type=int, default=4, help='number of processes'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='convert again what is there already',
    )
    return parser.parse_args()


def main() -> None:
    """Convert every split and say how many label maps there are."""
    args = parse_args()
    try:
        for split in args.splits:
            written, total = convert_vistas(
                args.root, split, args.out_dir, args.nproc, args.overwrite
            )
            print(f'{split}: {total} label maps, {written} written now')
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
