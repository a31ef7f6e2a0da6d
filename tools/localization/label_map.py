"""Label the 3D points of a COLMAP model by the label maps of its images.

Writes OUT.npz (point_ids, xyz, labels, shares, votes) and, beside it, a
coloured cloud OUT.ply. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys

from fgsn_mmseg.localization.label_maps import LabelMaps, read_stationary
from fgsn_mmseg.localization.map_labels import vote_labels, write_ply
from fgsn_mmseg.localization.model import read_model


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('model', help='folder of a COLMAP model')
    parser.add_argument(
        'labels', help='folder of the label maps, as label_images.py writes'
    )
    parser.add_argument('out', help='file to write, .npz')
    parser.add_argument(
        '--num-clusters',
        type=int,
        default=None,
        help='number of labels K; larger ones are refused, and 8-bit maps '
        'are read where K <= 256',
    )
    parser.add_argument(
        '--stationary',
        default=None,
        help='stationary_clusters.json; points of other labels get none',
    )
    return parser.parse_args()


def main() -> None:
    """Vote, write, tell."""
    args = parse_args()
    try:
        stationary, num = None, args.num_clusters
        if args.stationary is not None:
            stationary, num = read_stationary(args.stationary)
        if not args.out.endswith('.npz'):
            raise ValueError(
                f'`out` should end in .npz, but got {args.out!r}.'
            )
        maps = LabelMaps(args.labels, num)
        model = read_model(args.model)
        found, missing = vote_labels(model, maps, stationary)
        found.save(args.out)
        cloud = osp.splitext(args.out)[0] + '.ply'
        write_ply(cloud, found)
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    labelled = found.labels >= 0
    share = found.shares[labelled].mean() if labelled.any() else 0.0
    print(
        f'{labelled.sum()} of {len(labelled)} points have a label, on average '
        f'{share:.3f} of their votes are for it; written to {args.out} and '
        f'{cloud}'
    )
    if missing:
        print(
            f'{len(missing)} of {len(model.images)} images have no label map, '
            f'the first is {missing[0]}'
        )


if __name__ == '__main__':
    main()
