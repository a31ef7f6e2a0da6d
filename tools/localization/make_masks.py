"""Make masks for COLMAP and hloc: black on labels that are not stationary.

The mask of a/012.jpg is OUT/a/012.jpg.png (COLMAP: --ImageReader.mask_path).
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.datasets import list_images
from fgsn_mmseg.localization.label_maps import LabelMaps, read_stationary
from fgsn_mmseg.localization.masks import write_masks


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('images', help='folder of images')
    parser.add_argument('labels', help='folder of their label maps')
    parser.add_argument('stationary', help='stationary_clusters.json')
    parser.add_argument('out', help='folder of the masks')
    return parser.parse_args()


def main() -> None:
    """Write, tell."""
    args = parse_args()
    try:
        stationary, num = read_stationary(args.stationary)
        written, missing = write_masks(
            args.images,
            list_images(args.images),
            LabelMaps(args.labels, num),
            args.out,
            stationary,
        )
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(f'{len(written)} masks written to {args.out}')
    if missing:
        print(
            f'{len(missing)} images have no label map, the first is '
            f'{missing[0]}'
        )


if __name__ == '__main__':
    main()
