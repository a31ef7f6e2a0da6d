"""Refine rough poses of queries by labels alone, without descriptors.

Writes OUT/poses.txt (name qw qx qy qz tx ty tz) and OUT/diagnostics.csv.
Nothing is claimed about privacy. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.localization.flags import (
    add_flags,
    add_label_flags,
    from_flags,
)
from fgsn_mmseg.localization.hloc_lists import read_poses, read_queries
from fgsn_mmseg.localization.label_alignment import AlignmentOptions
from fgsn_mmseg.localization.label_maps import LabelMaps
from fgsn_mmseg.localization.label_poses import align_queries
from fgsn_mmseg.localization.map_labels import MapLabels
from fgsn_mmseg.localization.map_points import MapPoints
from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.recall import pose_basin


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('model', help='COLMAP model')
    add('map_labels', help='labels of its points, from label_map.py')
    add('labels', help='folder of label maps of the queries')
    add('queries', help='list of queries with intrinsics')
    add('rough', help='rough poses of the queries')
    add('out', help='folder to write to')
    add_flags(
        parser,
        AlignmentOptions(),
        metres='spread of the search, per axis',
        degrees='the same of the rotation',
        num_particles='poses tried in a round',
        search_rounds='rounds, each with half the spread',
        max_pixels='a point farther from its label counts as this far',
    )
    add(
        '--max-points',
        type=int,
        default=20_000,
        help='points of the map at most, drawn at random',
    )
    add_label_flags(parser)
    return parser.parse_args()


def main() -> None:
    """Align, write, tell."""
    args = parse_args()
    try:
        truth = read_poses(args.truth) if args.truth else {}
        model = read_model(args.model)
        cameras = read_queries(args.queries, model.common_camera())
        rough = read_poses(args.rough)
        points = MapPoints.from_model(model, MapLabels.load(args.map_labels))
        report = align_queries(
            points.sample(args.max_points, args.seed),
            LabelMaps(args.labels, args.num_clusters),
            cameras,
            rough,
            args.out,
            from_flags(args, AlignmentOptions),
            args.seed,
        )
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print('\n'.join(report.lines(args.out, truth)))
    if truth:
        print('\n'.join(pose_basin(rough, report.poses, truth)))


if __name__ == '__main__':
    main()
