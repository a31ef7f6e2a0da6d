"""Find cameras in the town: every method with every kind of labels.

The map is the summer of the town, queries are photos of the other conditions
on streets that no network has seen, matches are those of SIFT. What was
measured is not measured again, a run that was cut off goes on, and the
document is written anew after each labelling. The town is rendered if it is
not there. Needs the extra [localization].
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from mmengine.registry import init_default_scope

import fgsn_mmseg  # noqa: F401  before mmseg, which needs mmcv.ops
from town.study.labellings import NO_LABELS, Labelling, find_labellings
from town.study.localization import LocalizationTown
from town.study.localization_methods import (
    FAST,
    NEEDS_TABLE,
    SLOW,
    WITHOUT_LABELS,
    Evidence,
    Method,
)
from town.study.localization_page import localization_page
from town.study.localization_results import (
    LocalizationResults,
    count_agreement,
)

SLOW_LABELS = [
    'true classes',
    'base network, classes',
    'c100, before',
    'c100',
    'c1000',
]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('town', type=Path, help='folder of the town; rendered if needed')
    add('grid', type=Path, help='folder of the trainings of grid.py')
    add('--seeds', nargs='+', type=int, default=[0, 1, 2], help='of networks')
    add('--labels', nargs='*', default=[], help='labellings; none: all')
    add(
        '--methods',
        nargs='*',
        default=[*FAST, *SLOW],
        help='that use labels',
    )
    add(
        '--slow-labels',
        nargs='*',
        default=SLOW_LABELS,
        help='labellings, of the first seed, with which slow methods run',
    )
    add(
        '--short-side',
        type=int,
        help='size of the images that FGSNs label; their own by default',
    )
    add('--streets', type=int, help='held-out streets of a new town')
    add('--size', default='study', help='of a new town')
    add(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/town_localization'),
        help='folder of matches, label maps and figures',
    )
    add(
        '--photos',
        nargs='*',
        type=Path,
        default=[],
        help='files of leave_one_out.py, of real photos, to be shown too',
    )
    add(
        '--out',
        type=Path,
        default=Path(__file__).with_name('localization_results.md'),
        help='document to write',
    )
    return parser.parse_args()


def methods_for(
    labelling: Labelling, args: argparse.Namespace
) -> dict[str, Method]:
    """The methods to run with a labelling."""
    if labelling.name == NO_LABELS:
        return WITHOUT_LABELS
    first = labelling.seed == args.seeds[0] or labelling.run is None
    slow = first and labelling.name in args.slow_labels
    methods = {**FAST, **(SLOW if slow else {})}
    return {name: methods[name] for name in args.methods if name in methods}


def measure(
    town: LocalizationTown,
    labelling: Labelling,
    results: LocalizationResults,
    args: argparse.Namespace,
) -> None:
    """Run the methods that are missing."""
    methods = methods_for(labelling, args)
    todo = [m for m in methods if not results.has(labelling, m)]
    counted = labelling.name == NO_LABELS or results.has_agreement(labelling)
    if not todo and counted:
        return
    labels = table = None
    if labelling.name != NO_LABELS:
        labels = town.label(labelling.key, labelling.label_map_of)
        if not counted:
            counts = count_agreement(town.held_out, labels)
            results.save_agreement(labelling, counts)
        if set(todo) & set(NEEDS_TABLE):
            table = labels.table(labelling.num_clusters)
    for method in todo:
        began = time.monotonic()
        found = list(methods[method](town.held_out, Evidence(labels, table)))
        results.save(labelling, method, found)
        print(
            f'  {method}: {len(found)} queries, '
            f'{time.monotonic() - began:.0f} s',
            flush=True,
        )


def main() -> None:
    """Measure what is missing, write the document."""
    args = parse_args()
    init_default_scope('mmseg')
    changes = {} if args.streets is None else dict(val_streets=args.streets)
    try:
        town = LocalizationTown(args.town, args.work_dir, args.size, **changes)
        results = LocalizationResults(args.work_dir / 'results')
        results.save_queries(town.held_out)
        labellings = find_labellings(args.grid, args.seeds, args.short_side)
        if args.labels:
            labellings = [x for x in labellings if x.name in args.labels]
        for index, labelling in enumerate(labellings, 1):
            print(f'{index} of {len(labellings)}: {labelling.key}', flush=True)
            measure(town, labelling, results, args)
            page = localization_page(
                results, town.description(), sys.argv[1:], args.photos
            )
            args.out.write_text(page, encoding='utf-8')
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        sys.exit(f'localize_study.py: {error}')
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
