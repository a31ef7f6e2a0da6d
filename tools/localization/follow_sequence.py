"""Follow a sequence through a labelled map with odometry (PFSL).

Labels alone, no matches. Writes OUT/poses.txt (name qw qx qy qz tx ty tz) and
OUT/diagnostics.csv. Needs the extra [localization].
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
from fgsn_mmseg.localization.label_maps import LabelMaps
from fgsn_mmseg.localization.label_poses import follow_sequence
from fgsn_mmseg.localization.likelihood import LabelLikelihood
from fgsn_mmseg.localization.map_labels import MapLabels
from fgsn_mmseg.localization.map_points import MapPoints
from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.particle_filter import FilterOptions


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('model', help='COLMAP model')
    add('map_labels', help='labels of its points, from label_map.py')
    add('labels', help='folder of label maps of the images')
    add('images', help='list of images with intrinsics, in their order')
    add(
        'odometry',
        help='list "name qw qx qy qz tx ty tz": motion from the camera of the '
        'image before to this one; an image that is not in it is a gap',
    )
    add('start', help='list of poses with a rough one of the first image')
    add('out', help='folder to write to')
    add('--table', default=None, help='learned likelihoods')
    add_flags(
        parser,
        FilterOptions(),
        num_particles='particles',
        start_metres='spread of the particles at the start, per axis',
        start_degrees='the same of their rotations',
        step_metres='noise of the odometry, per axis and image',
        step_degrees='the same of its rotations',
        temperature='the log likelihoods are divided by this',
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
    """Follow, write, tell."""
    args = parse_args()
    try:
        truth = read_poses(args.truth) if args.truth else {}
        model = read_model(args.model)
        cameras = read_queries(args.images, model.common_camera())
        first, start = next(iter(cameras)), read_poses(args.start)
        if first not in start:
            raise ValueError(
                f'`start` should hold a pose of the first image {first!r}, '
                f'but {args.start} has none.'
            )
        points = MapPoints.from_model(model, MapLabels.load(args.map_labels))
        report = follow_sequence(
            points.sample(args.max_points, args.seed),
            LabelMaps(args.labels, args.num_clusters),
            cameras,
            read_poses(args.odometry),
            start[first],
            args.out,
            LabelLikelihood.load(args.table) if args.table else None,
            from_flags(args, FilterOptions),
            args.seed,
        )
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print('\n'.join(report.lines(args.out, truth)))


if __name__ == '__main__':
    main()
