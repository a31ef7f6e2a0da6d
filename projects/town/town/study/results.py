"""What the experiments in the town have shown, as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..templates import render_template
from .claims import Runs, bits_across, claims
from .figures import ACROSS, WITHIN, Figures, across
from .grid import MEANS, OPTIONS, ROWS, WHITENED, GridRow
from .tables import AGREEMENT, as_markdown, spread

KEYS = (*AGREEMENT, 'match_bits_hard')

# By K and name, figures of labels that nothing was trained for: one a seed.
Rivals = dict[int, dict[str, list[Figures]]]

BASE = 'base network, k-means'
USED_SHARE = 0.8  # below it, clusters count as lost


def results_page(
    runs: Runs, plain: dict[int, dict[str, Figures]], notes: Sequence[str]
) -> str:
    """The document.

    Args:
        runs: By experiment, figures of every seed; at least one.
        plain: By K, figures of `plain_figures`.
        notes: Lines on how it was made: commands, seeds, cost.

    Returns:
        Markdown.
    """
    rivals: Rivals = {
        number: {name: [figures] for name, figures in labellings.items()}
        for number, labellings in sorted(plain.items())
    }
    # What an experiment starts from are the base network's own labels.
    for row in ROWS:
        if row.pretrained and row.name in runs:
            before = [run['before'] for run in runs[row.name]]
            own = rivals.setdefault(row.num_clusters, {})
            own.setdefault(_start(row), before)
    missing = [row.name for row in ROWS if row.name not in runs]
    if missing:
        notes = [*notes, f'Not measured: {", ".join(missing)}']
    return render_template(
        'results.md',
        subject=_subject(runs),
        within=WITHIN,
        notes=notes,
        main_table=_main_table(runs, rivals),
        claims=list(claims(runs)),
        disappointments=list(_disappointments(runs, rivals)),
        moving_table=_moving_table(runs),
        curve_table=_curve_table(runs),
        condition_tables={
            key: _condition_table(runs, rivals, key) for key in KEYS
        },
    )


def _subject(runs: Runs) -> str:
    """What was tried: switches of the paper's, options beside it, or both."""
    tried = {row.name.partition('-')[2] for row in ROWS if row.name in runs}
    if tried.isdisjoint(OPTIONS):
        return 'claims'
    return 'options' if tried <= {'', *OPTIONS} else 'claims and options'


def _start(row: GridRow) -> str:
    """Name of the labels that an experiment starts from."""
    if MEANS.items() <= row.changes.items():
        return f'{BASE}, learned whitening, pair means'
    if WHITENED.items() <= row.changes.items():
        return f'{BASE}, learned whitening'
    return BASE


def _named_rivals(rivals: Rivals) -> Iterator[tuple[str, list[Figures]]]:
    for number, labellings in rivals.items():
        for name, figures in labellings.items():
            yield f'{name}, K = {number}', figures


def _main_table(runs: Runs, rivals: Rivals) -> str:
    """A row for each rival and for each experiment."""
    header = ['labels', 'seeds', 'same: bits', 'hard', 'agree', 'chance']
    header += ['bits', 'hard', 'bits before', 'NMI', 'purity', 'mIoU %']
    header += ['used', 'stationary']
    rows = [
        [name, *_main_cells(figures, None)]
        for name, figures in _named_rivals(rivals)
    ]
    for name, seeds in runs.items():
        before = spread([bits_across(run, 'before') for run in seeds])
        after = [run['after'] for run in seeds]
        rows.append([name, *_main_cells(after, before)])
    return as_markdown(header, rows)


def _main_cells(
    figures: Sequence[Figures], before: str | None
) -> list[int | str | None]:
    cells: list[int | str | None] = [len(figures)]
    cells += [
        spread([f['groups'][WITHIN][key] for f in figures])
        for key in ('match_bits', 'match_bits_hard')
    ]
    cells += [spread([across(f, key) for f in figures]) for key in KEYS]
    cells.append(before)
    for key, digits in (
        ('NMI', 3),
        ('purity', 3),
        ('mIoU', 1),
        ('used_clusters', 1),
        ('stationary', 2),
    ):
        known = [f[key] for f in figures if key in f]
        cells.append(spread(known, digits) if known else None)
    return cells


def _curve_table(runs: Runs) -> str:
    """match_bits of the student over iterations, other conditions."""
    numbers = sorted({int(n) for s in runs.values() for n in s[0]['curve']})
    rows: list[list[Any]] = []
    for name, seeds in runs.items():
        before = spread([bits_across(run, 'before') for run in seeds])
        curves = [run['curve'] for run in seeds]
        rows.append([name, before])
        for n in map(str, numbers):
            known = [c[n]['match_bits'] for c in curves if n in c]
            rows[-1].append(spread(known) if known else None)
    return as_markdown(
        ['experiment', 'first labels', *map(str, numbers)], rows
    )


def _condition_table(runs: Runs, rivals: Rivals, key: str) -> str:
    """One figure by conditions, of all labels, before and after training."""
    labels = {(name, '-'): figures for name, figures in _named_rivals(rivals)}
    for name, seeds in runs.items():
        for when in ('before', 'after'):
            labels[name, when] = [run[when] for run in seeds]
    groups = (WITHIN, *ACROSS)
    rows = [
        [*names]
        + [spread([f['groups'][g][key] for f in figures]) for g in groups]
        for names, figures in labels.items()
    ]
    return as_markdown(['labels', 'when', *groups], rows)


def _moving_table(runs: Runs) -> str:
    """Clusters of what moves: not stationary of all, summed over seeds."""
    names = list(next(iter(runs.values()))[0]['after']['moving'])
    rows: list[list[Any]] = []
    for name, seeds in runs.items():
        counts = [[r['after']['moving'][n] for n in names] for r in seeds]
        rows.append(
            [name]
            + [
                f'{unsteady} of {total}' if total else 'no cluster'
                for total, unsteady in np.sum(counts, axis=0)
            ]
        )
    return as_markdown(['experiment', *names], rows)


def _disappointments(runs: Runs, rivals: Rivals) -> Iterator[str]:
    """Where training did not help, and where it was not needed.

    Experiments that in a condition are not better than before training, or
    over the conditions not better than a rival with as many labels, or that
    leave clusters unused.
    """
    number = {row.name: row.num_clusters for row in ROWS}
    for name, seeds in runs.items():
        for key in ('match_bits', 'agreement'):
            worse = []
            for group in (WITHIN, *ACROSS):
                before, after = (
                    np.mean([run[when]['groups'][group][key] for run in seeds])
                    for when in ('before', 'after')
                )
                if after <= before:
                    worse.append(f'{group} ({before:.3f} to {after:.3f})')
            if worse:
                yield f'{name}: {key} in {", ".join(worse)}'
        used = np.mean([run['after']['used_clusters'] for run in seeds])
        if used < USED_SHARE * number[name]:
            yield f'{name}: {used:.0f} of {number[name]} clusters are used'
        bits = np.mean([bits_across(run) for run in seeds])
        for rival, figures in rivals[number[name]].items():
            reached = np.mean([across(f, 'match_bits') for f in figures])
            if bits <= reached:
                yield (
                    f'{name}: {bits:.3f} bits across conditions, not above '
                    f'{rival} ({reached:.3f})'
                )
