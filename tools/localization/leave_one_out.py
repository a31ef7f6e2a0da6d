"""Localize each image of a COLMAP model by the others, and tell how well.

Matches are those of OpenCV's SIFT, the truth is the pose in the model. Says of
each image what became of it; writes the same to OUT.csv. Needs the extra
[localization].
"""

from __future__ import annotations

import argparse
import csv
import sys

from mmengine import ProgressBar

from fgsn_mmseg.files import whole_file
from fgsn_mmseg.localization.flags import (
    add_flags,
    add_ransac_flags,
    from_flags,
)
from fgsn_mmseg.localization.label_maps import LabelMaps
from fgsn_mmseg.localization.leave_one_out import leave_one_out
from fgsn_mmseg.localization.likelihood import LabelLikelihood
from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.sift_matches import SiftOptions
from fgsn_mmseg.localization.solver import RansacOptions


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('model', help='COLMAP model')
    add('images', help='folder of its images')
    add('out', help='file to write, .csv')
    add('--labels', default=None, help='folder of label maps of the images')
    add('--table', default=None, help='learned likelihoods, for llr')
    add_ransac_flags(parser)
    add_flags(
        parser,
        SiftOptions(),
        ratio='of the matcher, see match_sift.py',
        max_features='the same',
    )
    add('--seed', type=int, default=0, help='of the draws')
    return parser.parse_args()


def main() -> None:
    """Localize, write, tell."""
    args = parse_args()
    # Without a table 'llr' drops what 'ssmc' drops.
    methods = ['ransac', *(['ssmc'] if args.labels else [])]
    methods += ['llr'] if args.labels and args.table else []
    header = ['name', 'matches', 'right', 'equal_right', 'equal_wrong']
    for method in methods:
        header += [f'{method}_distance', f'{method}_degrees']
    rows = []
    try:
        model = read_model(args.model)
        maps = LabelMaps(args.labels) if args.labels else None
        bar = ProgressBar(len(model.images))
        for found in leave_one_out(
            model,
            args.images,
            maps,
            methods,
            from_flags(args, SiftOptions),
            from_flags(args, RansacOptions),
            args.seed,
            LabelLikelihood.load(args.table) if args.table else None,
        ):
            row = [found.name, str(found.matches), str(found.right)]
            row += [f'{share:.3f}' for share in found.agreement]
            for distance, degrees in found.errors.values():
                relative = distance / found.distance
                row += [f'{relative:.4f}', f'{degrees:.2f}']
            rows.append(row)
            bar.update()
        bar.file.write('\n')
        with whole_file(args.out) as part, open(part, 'w') as file:
            csv.writer(file).writerows([header, *rows])
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f'error: {error}')
    print('distances in parts of the median depth of what an image sees')
    for line in [header, *rows]:
        print(' | '.join(line))


if __name__ == '__main__':
    main()
