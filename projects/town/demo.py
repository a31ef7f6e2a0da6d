"""A town, a base network, an FGSN, and what training has done to its labels.

Renders a synthetic town, trains a base network on the class maps of its
summer and an FGSN on correspondences of all conditions, and shows the labels
of held-out places before and after. What is done is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from mmengine import Config, ProgressBar
from mmengine.registry import init_default_scope

import fgsn_mmseg  # noqa: F401  before mmseg, which needs mmcv.ops
from fgsn_mmseg.apis import read_training_log
from fgsn_mmseg.engine.training_run import train_once, with_data_root
from fgsn_mmseg.evaluation.survey import read_survey, write_survey
from town import SIZES, TRAVERSALS, generate_world, settings_for
from town.settings import ImageKey, image_name
from town.study import BASE_CONFIG, DEMO_CONFIG
from town.study.figures import before_and_after, traversal_of
from town.study.report import PlaceView, run_report
from town.study.tables import as_text, condition_table, labelling_table
from town.study.without_learning import plain_figures

STEPS = 5


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/demo'),
        help='folder of everything that is made',
    )
    add('--size', default='demo', choices=sorted(SIZES), help='of the town')
    add('--base', type=Path, default=BASE_CONFIG, help='of the base network')
    add('--fgsn', type=Path, default=DEMO_CONFIG, help='config of the FGSN')
    add('--workers', type=int, default=2, help='processes that render')
    return parser.parse_args()


class Steps:
    """Says which step has begun and how long all have taken."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.number = 0

    def begin(self, what: str) -> None:
        """Announce the next step."""
        self.number += 1
        seconds = time.monotonic() - self.start
        print(f'\n=== {self.number}/{STEPS} {what} ({seconds:.0f} s)')
        sys.stdout.flush()


def render(town: Path, size: str, workers: int) -> None:
    """Make the town unless it is there."""
    if (town / 'complete.json').exists():
        print(f'{town} is there.')
        return
    settings = settings_for(size)
    bar = ProgressBar(len(settings.image_keys()))
    generate_world(town, settings, workers, lambda *_: bar.update())


def measure(
    config: Config, run: Path, last: Path, town: Path
) -> dict[str, Any]:
    """Figures of all labellings; the labels are kept beside them."""
    kept = run / 'figures.json'
    if kept.exists():
        print(f'{kept} is there.')
        return json.loads(kept.read_text())
    print('k-means on colours and hand-made features', flush=True)
    number = config.model.num_clusters
    figures = plain_figures(town, number, config.short_side)
    for name, own, survey in before_and_after(config, run, last):
        figures[name] = own
        write_survey(run / f'{name}.npz', survey)
    kept.write_text(json.dumps(figures, indent=1))
    return figures


def named(figures: dict[str, Any]) -> dict[str, Any]:
    """All labellings under the names that a reader understands."""
    names = {
        'before': 'base network, first labels',
        'after': 'FGSN after training',
    }
    return {names.get(key, key): value for key, value in figures.items()}


def report(path: Path, run: Path, town: Path, figures: dict[str, Any]) -> Path:
    """Write the page."""
    before, after = (
        read_survey(run / f'{name}.npz') for name in ('before', 'after')
    )
    street = json.loads((town / 'world.json').read_text())['train_streets']
    keys = [ImageKey(street, 0, i) for i in range(len(TRAVERSALS))]
    known = {Path(path).stem: path for path in after.label_maps}
    log = read_training_log(run)
    page = run_report(
        condition_table(figures['before'], figures['after']),
        labelling_table(named(figures)),
        PlaceView(
            [name for name, _ in TRAVERSALS],
            [known[Path(image_name(key)).name] for key in keys],
        ),
        before,
        after,
        log.curves,
        log.clusterings,
        figures['after']['majority'],
        traversal_of,
    )
    path.write_text(page, encoding='utf-8')
    return path


def screen(figures: dict[str, Any], clusters: int) -> str:
    """What a newcomer is to see."""
    conditions = condition_table(figures['before'], figures['after'])
    return '\n\n'.join(
        [
            f'Labels of held-out places, {clusters} clusters: equal at '
            'correspondences with summer?',
            as_text(conditions),
            as_text(labelling_table(named(figures))),
            'bits: what equal labels tell about a match. '
            'NMI: with the true classes of the pixels.',
        ]
    )


def main() -> None:
    """Run all steps."""
    args = parse_args()
    steps = Steps()
    init_default_scope('mmseg')
    work_dir, town = args.work_dir, args.work_dir / 'town'
    try:
        steps.begin(f'a town of size {args.size!r}')
        render(town, args.size, args.workers)
        steps.begin('base network, on the class maps of summer')
        base = Config.fromfile(args.base)
        start = train_once(with_data_root(base, town), work_dir / 'base')
        steps.begin('FGSN, on correspondences of all conditions')
        config = with_data_root(Config.fromfile(args.fgsn), town)
        config.model.init_cfg.checkpoint = str(start)
        run = work_dir / 'fgsn'
        last = train_once(config, run)
        steps.begin('labels of held-out places')
        figures = measure(config, run, last, town)
        steps.begin('report')
        page = report(work_dir / 'report.html', run, town, figures)
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'demo.py: {error}')
    print(f'\n{screen(figures, config.model.num_clusters)}')
    print(f'\nPictures and curves: {page.resolve().as_uri()}')
    print(f'Pairs as validated:  {run}/*/vis_data/vis_image')
    print(f'{time.monotonic() - steps.start:.0f} s in all')


if __name__ == '__main__':
    main()
