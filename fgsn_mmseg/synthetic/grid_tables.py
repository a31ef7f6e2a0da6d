"""The tables of the experiments in the town."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .grid import ROWS
from .study import ACROSS, WITHIN, across
from .study_tables import AGREEMENT, as_markdown

# Of one experiment, one entry a seed: figures 'before' and 'after'.
Runs = dict[str, list[dict[str, Any]]]
# By K and name, figures of labels that nothing was trained for: one a seed.
Rivals = dict[int, dict[str, list[dict[str, Any]]]]

BASE = 'base network, k-means'


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Mean and, of more than one value, standard deviation."""
    text = f'{np.mean(values):.{digits}f}'
    if len(values) > 1:
        text += f' ± {np.std(values, ddof=1):.{digits}f}'
    return text


def rivals_of(runs: Runs, plain: dict[int, dict[str, Any]]) -> Rivals:
    """Labellings without learning, and k-means on the base network.

    Args:
        runs: The experiments; what they start from is the base network's.
        plain: By K, figures of `plain_figures`.

    Returns:
        By K and name, figures.
    """
    rivals: Rivals = {
        number: {name: [figures] for name, figures in labellings.items()}
        for number, labellings in sorted(plain.items())
    }
    for row in ROWS:
        if row.pretrained and row.name in runs:
            before = [run['before'] for run in runs[row.name]]
            rivals.setdefault(row.num_clusters, {}).setdefault(BASE, before)
    return rivals


def bits_across(run: dict[str, Any], when: str = 'after') -> float:
    """match_bits over the conditions that differ, of one seed."""
    return across(run[when], 'match_bits')


def main_table(runs: Runs, rivals: Rivals) -> str:
    """A row for each rival and for each experiment.

    Args:
        runs: The experiments.
        rivals: See `rivals_of`.

    Returns:
        Markdown.
    """
    header = ['labels', 'seeds', 'same: bits', 'agree', 'chance', 'bits']
    header += ['bits before', 'NMI', 'purity', 'mIoU %', 'used', 'stationary']
    rows: list[list[Any]] = []
    for number, labellings in rivals.items():
        for name, figures in labellings.items():
            rows.append([f'{name}, K = {number}', *_main_cells(figures, None)])
    for name, seeds in runs.items():
        after = [run['after'] for run in seeds]
        before = spread([bits_across(run, 'before') for run in seeds])
        rows.append([name, *_main_cells(after, before)])
    return as_markdown((header, rows))


def _main_cells(
    figures: Sequence[dict[str, Any]], before: str | None
) -> list[Any]:
    cells: list[Any] = [len(figures)]
    cells.append(spread([f['groups'][WITHIN]['match_bits'] for f in figures]))
    cells += [spread([across(f, key) for f in figures]) for key in AGREEMENT]
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


def condition_tables(runs: Runs, rivals: Rivals) -> str:
    """For each figure, labels by conditions, before and after training."""
    labels = {
        (f'{name}, K = {number}', '-'): figures
        for number, labellings in rivals.items()
        for name, figures in labellings.items()
    }
    for name, seeds in runs.items():
        for when in ('before', 'after'):
            labels[name, when] = [run[when] for run in seeds]
    groups = (WITHIN, *ACROSS)
    parts = []
    for key in AGREEMENT:
        rows = [
            [*names]
            + [spread([f['groups'][g][key] for f in figures]) for g in groups]
            for names, figures in labels.items()
        ]
        table = as_markdown((['labels', 'when', *groups], rows))
        parts.append(f'### {key}\n\n{table}')
    return '\n\n'.join(parts)


def moving_table(runs: Runs) -> str:
    """Clusters of what moves: not stationary of all, summed over seeds."""
    names = list(next(iter(runs.values()))[0]['after']['moving'])
    rows: list[list[Any]] = []
    for name, seeds in runs.items():
        cells = []
        for moving in names:
            counts = [run['after']['moving'][moving] for run in seeds]
            total, unsteady = np.sum(counts, axis=0)
            text = f'{unsteady} of {total}' if total else 'no cluster'
            cells.append(text)
        rows.append([name, *cells])
    return as_markdown((['experiment', *names], rows))
