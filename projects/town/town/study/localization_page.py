"""What localization in the town has shown, as a document."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..templates import render_template
from .figures import ACROSS
from .labellings import BASE_CLASSES, NO_LABELS, TRUE_CLASSES
from .localization_methods import FAST, SLOW
from .localization_results import (
    LocalizationResults,
    Measured,
    paired_interval,
)
from .localization_tables import (
    MIDDLE,
    RANSAC,
    Runs,
    agreement_shares,
    agreement_table,
    basin_table,
    by_right,
    every_table,
    found_shares,
    group_table,
    overview,
    percent,
    query_names,
    query_table,
    sequence_table,
    slow_table,
)
from .tables import as_markdown

SCRIPT = 'python projects/town/localize_study.py'
# A photo is found: parts of the median depth, degrees.
PHOTO_LIMITS = (0.02, 2.0)
# Of an experiment that differs from the paper's recipe.
_SUFFIX = re.compile(r'-[^,]+')
# Methods by which labellings are compared.
COMPARED = ('filter', 'llr', 'llr order')


def localization_page(
    results: LocalizationResults,
    town: Sequence[str],
    arguments: list[str],
    photos: Sequence[Path] = (),
) -> str:
    """The document.

    Args:
        results: All that was measured; at least plain RANSAC.
        town: Lines about the town.
        arguments: Of the command.
        photos: Files of ``leave_one_out.py``, of real photos.

    Returns:
        Markdown.
    """
    runs: Runs = {}
    for one in results.measured():
        runs.setdefault((one.labels, one.method), []).append(one)
    queries = results.queries()
    labels = list(dict.fromkeys(name for name, _ in runs))
    return render_template(
        'localization.md',
        command=' '.join(map(_shown, [SCRIPT, *arguments])),
        town=town,
        queries=query_table(queries),
        overview=overview(runs, labels),
        claims=list(_claims(runs, labels)),
        disappointments=list(
            _disappointments(runs, labels, results.agreement())
        ),
        agreement=agreement_table(results),
        conditions={
            method: group_table(
                runs,
                labels,
                method,
                {
                    c: [n for n in queries if queries[n][0] == c]
                    for c in ACROSS
                },
            )
            for method in COMPARED
        },
        right={
            method: group_table(runs, labels, method, by_right(queries))
            for method in COMPARED
        },
        slow=slow_table(runs, labels),
        sequences=sequence_table(runs, labels),
        basin=basin_table(runs, labels),
        photos={path.stem: photo_table(path) for path in photos},
        every=every_table(runs),
    )


def photo_table(path: Path) -> str:
    """A file of ``leave_one_out.py``, and how many photos were found.

    Args:
        path: The file.

    Returns:
        Markdown.
    """
    with open(path, newline='', encoding='utf-8') as file:
        header, *rows = csv.reader(file)
    counts = []
    for column, name in enumerate(header):
        if name.endswith('_distance'):
            errors = np.array([r[column : column + 2] for r in rows], float)
            found = int((errors <= PHOTO_LIMITS).all(1).sum())
            counts.append(f'{name.removesuffix("_distance")} {found}')
    limits = '{:g} and {:g} deg'.format(*PHOTO_LIMITS)
    cells = [[c if c != 'nan' else None for c in row] for row in rows]
    table = as_markdown(header, cells)
    found_by = ', '.join(counts)
    return f'Within {limits}, of {len(rows)}: {found_by}.\n\n{table}'


def _shown(argument: str) -> str:
    """An argument as a reader would type it: not where it lay here."""
    if Path(argument).is_absolute():
        argument = Path(argument).name
    return argument if argument == SCRIPT else shlex.quote(argument)


def _claims(runs: Runs, labels: Sequence[str]) -> Iterator[str]:
    """The paper's order: fine labels beat classes, classes beat nothing."""
    plain = runs[NO_LABELS, RANSAC]
    for method in COMPARED:
        for name in (TRUE_CLASSES, BASE_CLASSES):
            if seeds := runs.get((name, method)):
                text = f'{method}: {name} against no labels'
                yield _compared(text, seeds, plain)
        for name in labels:
            seeds = runs.get((name, method))
            if not seeds or not name.startswith('c'):
                continue
            if classes := runs.get((BASE_CLASSES, method)):
                text = f'{method}: {name} against {BASE_CLASSES}'
                yield _compared(text, seeds, classes)
            for other in (
                f'{name}, before',
                f'{name}-nocorr',
                _SUFFIX.sub('', name),
            ):
                if other == name:
                    continue
                if rival := runs.get((other, method)):
                    text = f'{method}: {name} against {other}'
                    yield _compared(text, seeds, rival)


def _compared(
    text: str, first: Sequence[Measured], second: Sequence[Measured]
) -> str:
    names = query_names(first)
    one, two = (found_shares(s, names)[:, MIDDLE] for s in (first, second))
    low, high = paired_interval(one, two)
    verdict = 'no difference beyond chance'
    if low > 0:
        verdict = 'higher'
    elif high < 0:
        verdict = '**lower**'
    return (
        f'{text}: {percent(one.mean())} to {percent(two.mean())} %, '
        f'difference [{percent(low)}, {percent(high)}]: {verdict}.'
    )


def _disappointments(
    runs: Runs,
    labels: Sequence[str],
    agreement: dict[str, list[np.ndarray]],
) -> Iterator[str]:
    """Rows that are not better than what needs less."""
    plain = runs[NO_LABELS, RANSAC]
    for name in labels:
        for method in (*FAST, *SLOW):
            seeds = runs.get((name, method))
            if not seeds or method == 'pfsl' or method.startswith('align'):
                continue
            names = query_names(seeds)
            found = found_shares(seeds, names)[:, MIDDLE].mean()
            rivals = {'no labels': plain}
            if name.startswith('c'):
                for other in (BASE_CLASSES, f'{name}, before'):
                    if rival := runs.get((other, method)):
                        rivals[other] = rival
            worse = [
                f'{other} ({percent(reached)})'
                for other, rival in rivals.items()
                if set(names) <= set(query_names(rival))
                and found
                <= (reached := found_shares(rival, names)[:, MIDDLE].mean())
            ]
            if worse:
                text = (
                    f'{name}, {method}: {percent(found)} %, not above '
                    f'{", ".join(worse)}'
                )
                if counts := agreement.get(name):
                    right, wrong, _ = agreement_shares(counts)
                    text += (
                        f'; its labels agree on {percent(right)} % of the '
                        f'right matches, {percent(wrong)} % of the wrong ones'
                    )
                yield text
