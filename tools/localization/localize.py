"""Localize queries with hloc's features and matches, and with labels.

Writes OUT/poses.txt (name qw qx qy qz tx ty tz), OUT/diagnostics.csv,
OUT/matches.h5 (the matches that labels kept, for hloc) and, with --images,
OUT/pictures. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.localization.estimate import USES
from fgsn_mmseg.localization.flags import (
    add_label_flags,
    add_ransac_flags,
    from_flags,
)
from fgsn_mmseg.localization.hloc_lists import read_poses, read_uprights
from fgsn_mmseg.localization.hloc_queries import LabelEvidence
from fgsn_mmseg.localization.label_maps import LabelMaps
from fgsn_mmseg.localization.likelihood import LabelLikelihood
from fgsn_mmseg.localization.localize import localize_queries
from fgsn_mmseg.localization.map_labels import MapLabels
from fgsn_mmseg.localization.matches import METHODS
from fgsn_mmseg.localization.solver import RansacOptions


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('model', help='COLMAP model made of the features')
    parser.add_argument('features', help="hloc's features.h5")
    parser.add_argument('matches', help="hloc's matches.h5")
    parser.add_argument('queries', help='list of queries with intrinsics')
    parser.add_argument('retrieval', help='list of pairs "query database"')
    parser.add_argument('out', help='folder to write to')
    parser.add_argument(
        '--method',
        choices=(*METHODS, 'gsmc'),
        default='ransac',
        help='what to do',
    )
    parser.add_argument(
        '--map-labels',
        default=None,
        help='labels of the points, from label_map.py',
    )
    parser.add_argument(
        '--labels', default=None, help='folder of label maps of the queries'
    )
    parser.add_argument(
        '--table', default=None, help='learned likelihoods, for llr'
    )
    parser.add_argument(
        '--use',
        choices=USES,
        default='filter',
        help='what llr does with its scores',
    )
    parser.add_argument(
        '--confidence',
        action='store_true',
        help="multiply scores by the share of its votes that a point's label "
        'got',
    )
    parser.add_argument(
        '--uprights',
        default=None,
        help='list of "name ux uy uz height", for gsmc: direction of the sky '
        'in the camera, height along the z axis of the map',
    )
    add_ransac_flags(parser)
    parser.add_argument(
        '--images', default=None, help='folder of the queries, for pictures'
    )
    add_label_flags(parser)
    return parser.parse_args()


def main() -> None:
    """Localize, write, tell."""
    args = parse_args()
    try:
        evidence = None
        if args.method != 'ransac':
            if args.map_labels is None or args.labels is None:
                raise ValueError(
                    '`--map-labels` and `--labels` should be given for '
                    f'{args.method!r}, but got None.'
                )
            table = args.table and LabelLikelihood.load(args.table)
            if args.method == 'gsmc' and args.uprights is None:
                raise ValueError(
                    "`--uprights` should be given for 'gsmc', but got None."
                )
            evidence = LabelEvidence(
                MapLabels.load(args.map_labels),
                LabelMaps(args.labels, args.num_clusters),
                table,
                args.use,
                args.confidence,
                read_uprights(args.uprights) if args.uprights else {},
            )
        truth = args.truth and read_poses(args.truth)
        report = localize_queries(
            args.model,
            args.features,
            args.matches,
            args.queries,
            args.retrieval,
            args.out,
            method=args.method,
            evidence=evidence,
            options=from_flags(args, RansacOptions),
            seed=args.seed,
            images=args.images,
        )
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print('\n'.join(report.lines(args.out, truth)))


if __name__ == '__main__':
    main()
