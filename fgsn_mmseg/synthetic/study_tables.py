"""The tables of a study, for a screen, a page and a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .study import ACROSS, WITHIN, across

AGREEMENT = ('agreement', 'chance', 'match_bits')
Table = tuple[list[str], list[list[Any]]]


def condition_table(before: dict[str, Any], after: dict[str, Any]) -> Table:
    """A row for each condition: the same pairs before and after training.

    Args:
        before: Figures of the first teacher's labels.
        after: Figures of the trained network.

    Returns:
        Header and rows.
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
    return header, rows


def labelling_table(labellings: dict[str, dict[str, Any]]) -> Table:
    """A row for each way to label.

    Args:
        labellings: By name, the figures; those without classes get a dash.

    Returns:
        Header and rows: agreement and bits within the reference condition,
        then across conditions, NMI with the true classes, used clusters.
    """
    header = ['labels', 'agree', 'bits', 'agree', 'chance', 'bits']
    header += ['NMI', 'used']
    rows: list[list[Any]] = []
    for name, figures in labellings.items():
        within = figures['groups'][WITHIN]
        rows.append(
            [name, within['agreement'], within['match_bits']]
            + [across(figures, n) for n in AGREEMENT]
            + [figures.get('NMI'), figures['used_clusters']]
        )
    return header, rows


def as_text(
    table: Table, spans: Sequence[tuple[str, int]] = (), first: int = 30
) -> str:
    """A table for the screen.

    Args:
        table: Header and rows.
        spans: Headings above the columns after the first, each with the
            number of its columns.
        first: Width of the first column.

    Returns:
        Lines of at most first + 8 characters a column.
    """
    header, rows = table
    lines = []
    if spans:
        above = ''.join(f'{text:^{8 * n}}' for text, n in spans)
        lines.append((' ' * first + above).rstrip())
    for row in [header, *rows]:
        cells = ''.join(f'{_text(cell):>8}' for cell in row[1:])
        lines.append(f'{row[0]!s:<{first}}{cells}')
    lines.insert(1 + bool(spans), '-' * (first + 8 * (len(header) - 1)))
    return '\n'.join(lines)


def as_markdown(table: Table) -> str:
    """A table for a document."""
    header, rows = table
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join(
        '| ' + ' | '.join(_text(cell) for cell in line) + ' |'
        for line in lines
    )


def _text(cell: object) -> str:
    if cell is None:
        return '-'
    return f'{cell:.3f}' if isinstance(cell, float) else str(cell)
