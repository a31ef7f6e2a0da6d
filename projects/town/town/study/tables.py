"""Tables: a header and rows, for a screen, a page and a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .figures import ACROSS, WITHIN, Figures, across

AGREEMENT = ('agreement', 'chance', 'match_bits')


class Table(NamedTuple):
    """What every kind of table is made from."""

    header: list[str]
    rows: list[list[Any]]
    """Floats get three digits, None a dash."""
    spans: Sequence[tuple[str, int]] = ()
    """Headings above the columns after the first, and how many each."""


def condition_table(before: Figures, after: Figures) -> Table:
    """A row for each condition: the same pairs before and after training.

    Args:
        before: Figures of the first teacher's labels.
        after: Figures of the trained network.

    Returns:
        The table.
    """
    header = ['target', 'agree', 'chance', 'bits', 'agree', 'chance', 'bits']
    rows: list[list[Any]] = []
    for group in (WITHIN, *ACROSS):
        name = f'{group} (same condition)' if group == WITHIN else group
        cells = [f['groups'][group] for f in (before, after)]
        rows.append([name, *(c[n] for c in cells for n in AGREEMENT)])
    rows.append(
        ['mean of the other conditions']
        + [across(f, n) for f in (before, after) for n in AGREEMENT]
    )
    return Table(
        header, rows, [(f'{when} training', 3) for when in ('before', 'after')]
    )


def labelling_table(labellings: dict[str, Figures]) -> Table:
    """A row for each way to label.

    Args:
        labellings: By name, the figures; those without classes get a dash.

    Returns:
        The table: agreement and bits within the reference condition,
        then across conditions, NMI with the true classes, used clusters.
    """
    header = ['labels', 'agree', 'bits', 'agree', 'chance', 'bits']
    rows: list[list[Any]] = []
    for name, figures in labellings.items():
        within = figures['groups'][WITHIN]
        rows.append(
            [name, within['agreement'], within['match_bits']]
            + [across(figures, n) for n in AGREEMENT]
            + [figures.get('NMI'), figures['used_clusters']]
        )
    spans = [('same condition', 2), ('other conditions', 3)]
    return Table([*header, 'NMI', 'used'], rows, spans)


def cell_text(cell: object) -> str:
    """What a cell shows: three digits, and a dash for None."""
    if cell is None:
        return '-'
    return f'{cell:.3f}' if isinstance(cell, float) else str(cell)


def as_text(table: Table, first: int = 30) -> str:
    """A table for the screen.

    Args:
        table: The table.
        first: Width of the first column.

    Returns:
        Lines of first + 8 characters a further column.
    """
    lines = [
        f'{row[0]!s:<{first}}' + ''.join(f'{cell_text(c):>8}' for c in row[1:])
        for row in [table.header, *table.rows]
    ]
    lines.insert(1, '-' * len(lines[0]))
    if table.spans:
        above = ''.join(f'{text:^{8 * n}}' for text, n in table.spans)
        lines.insert(0, (' ' * first + above).rstrip())
    return '\n'.join(lines)


def as_markdown(header: list[str], rows: list[list[Any]]) -> str:
    """A table for a document."""
    return '\n'.join(
        '| ' + ' | '.join(map(cell_text, line)) + ' |'
        for line in [header, ['---'] * len(header), *rows]
    )


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Mean and, of more than one value, standard deviation."""
    text = f'{np.mean(values):.{digits}f}'
    if len(values) > 1:
        text += f' ± {np.std(values, ddof=1):.{digits}f}'
    return text
