"""Follow a sequence through a labelled map with odometry (PFSL).

Labels alone, no matches. Writes OUT/poses.txt (name qw qx qy qz tx ty tz) and
OUT/diagnostics.csv. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.localization.hloc_lists import read_poses, read_queries
from fgsn_mmseg.localization.label_maps import LabelMaps
from fgsn_mmseg.localization.label_poses import follow_sequence
from fgsn_mmseg.localization.likelihood import LabelLikelihood
from fgsn_mmseg.localization.map_labels import MapLabels
from fgsn_mmseg.localization.map_points import MapPoints
from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.particle_filter import FilterOptions
from fgsn_mmseg.localization.recall import pose_recall


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    numbers = FilterOptions()
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
    for name, text in (
        ('num-particles', 'particles'),
        ('start-metres', 'spread of the particles at the start, per axis'),
        ('start-degrees', 'the same of their rotations'),
        ('step-metres', 'noise of the odometry, per axis and image'),
        ('step-degrees', 'the same of its rotations'),
        ('temperature', 'the log likelihoods are divided by this'),
    ):
        value = getattr(numbers, name.replace('-', '_'))
        add(f'--{name}', type=type(value), default=value, help=text)
    add(
        '--max-points',
        type=int,
        default=20_000,
        help='points of the map at most, drawn at random',
    )
    add('--truth', default=None, help='true poses; recall is told')
    add('--seed', type=int, default=0, help='of the draws')
    return parser.parse_args()


def main() -> None:
    """Follow, write, tell."""
    args = parse_args()
    try:
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
            LabelMaps(args.labels),
            cameras,
            read_poses(args.odometry),
            start[first],
            args.out,
            LabelLikelihood.load(args.table) if args.table else None,
            FilterOptions(
                num_particles=args.num_particles,
                start_metres=args.start_metres,
                start_degrees=args.start_degrees,
                step_metres=args.step_metres,
                step_degrees=args.step_degrees,
                temperature=args.temperature,
            ),
            args.seed,
        )
        truth = read_poses(args.truth) if args.truth else {}
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print(f'{len(report.poses)} poses written to {args.out}')
    for name, note in report.marked.items():
        print(f'do not trust {name}: {note}')
    if truth:
        print('\n'.join(pose_recall(report.poses, truth).lines()))


if __name__ == '__main__':
    main()
