"""What the experiments in the town have shown, as a document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Dict, List

import numpy as np

from .grid import NUMBERS, ROWS, SINGLE
from .study import ACROSS, WITHIN, across
from .study_tables import AGREEMENT, as_markdown

# Of one experiment, one entry a seed: figures 'before' and 'after'.
Runs = Dict[str, List[Dict[str, Any]]]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Mean and, of more than one value, standard deviation."""
    text = f'{np.mean(values):.{digits}f}'
    if len(values) > 1:
        text += f' ± {np.std(values, ddof=1):.{digits}f}'
    return text


def _bits(run: dict[str, Any], when: str = 'after') -> float:
    return across(run[when], 'match_bits')


def main_table(runs: Runs, plain: dict[int, dict[str, Any]]) -> str:
    """A row for each experiment and each labelling without learning.

    Args:
        runs: The experiments.
        plain: By K, figures of `plain_figures`.

    Returns:
        Markdown.
    """
    header = ['experiment', 'seeds', 'same: bits', 'agree', 'chance', 'bits']
    header += ['bits before', 'NMI', 'purity', 'mIoU %', 'used', 'stationary']
    rows: list[list[Any]] = []
    for number, labellings in sorted(plain.items()):
        for name, figures in labellings.items():
            cells: list[Any] = [f'{name}, K = {number}', 1]
            cells.append(figures['groups'][WITHIN]['match_bits'])
            cells += [across(figures, key) for key in AGREEMENT]
            cells += [None] * 4 + [figures['used_clusters'], None]
            rows.append(cells)
    for name, seeds in runs.items():
        after = [run['after'] for run in seeds]
        cells = [
            name,
            len(seeds),
            spread([f['groups'][WITHIN]['match_bits'] for f in after]),
        ]
        cells += [spread([across(f, k) for f in after]) for k in AGREEMENT]
        cells.append(spread([_bits(run, 'before') for run in seeds]))
        cells += [spread([f[k] for f in after]) for k in ('NMI', 'purity')]
        cells.append(spread([f['mIoU'] for f in after], 1))
        cells.append(spread([f['used_clusters'] for f in after], 1))
        cells.append(spread([f['stationary'] for f in after], 2))
        rows.append(cells)
    return as_markdown((header, rows))


def condition_tables(runs: Runs) -> str:
    """For each figure, experiments by conditions, before and after."""
    groups = (WITHIN, *ACROSS)
    parts = []
    for key in AGREEMENT:
        rows: list[list[Any]] = []
        for name, seeds in runs.items():
            for when in ('before', 'after'):
                cells = [
                    spread([run[when]['groups'][g][key] for run in seeds])
                    for g in groups
                ]
                rows.append([name, when, *cells])
        table = as_markdown((['experiment', 'when', *groups], rows))
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


def claims(runs: Runs) -> str:
    """What is said of the method, and what the figures say.

    A difference counts where it is larger than the spread of both sides
    together (root of the summed variances); with one seed there is none.
    """
    lines = []
    for k in NUMBERS:
        lines += _compare(
            f'K = {k}: with correspondences against without them',
            (runs.get(f'c{k}'), runs.get(f'c{k}-nocorr')),
            _bits,
        )
    for name, text in (
        ('noseg', 'with the dense loss against without it'),
        ('hinge', 'without the feature hinge against with it'),
        ('random', 'from the base network against a random start'),
    ):
        lines += _compare(
            f'K = {SINGLE}: {text}',
            (runs.get(f'c{SINGLE}'), runs.get(f'c{SINGLE}-{name}')),
            _bits,
        )
    for small, large in zip(NUMBERS, NUMBERS[1:]):
        lines += _compare(
            f'K = {large} against K = {small}',
            (runs.get(f'c{large}'), runs.get(f'c{small}')),
            _bits,
        )
    for k in NUMBERS:
        lines += _compare(
            f'K = {k}: NMI with the classes, after training against before',
            (runs.get(f'c{k}'),) * 2,
            lambda run, when='after': run[when]['NMI'],
            ('after', 'before'),
        )
    return '\n'.join(lines)


def _compare(
    text: str,
    sides: tuple[list | None, list | None],
    figure: Callable[..., float],
    whens: tuple[str, str] = ('after', 'after'),
) -> list[str]:
    first, second = (
        [figure(run, when) for run in side or ()]
        for side, when in zip(sides, whens)
    )
    if not first or not second:
        return []
    difference = float(np.mean(first) - np.mean(second))
    noise = float(np.hypot(_deviation(first), _deviation(second)))
    verdict = 'no difference beyond the spread'
    if abs(difference) > noise:
        verdict = 'higher' if difference > 0 else '**lower**'
    if min(len(first), len(second)) < 2:
        verdict += ' (one seed)'
    return [f'- {text}: {spread(first)} to {spread(second)}: {verdict}.']


def _deviation(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def disappointments(runs: Runs, plain: dict[int, dict[str, Any]]) -> str:
    """Where training did not help, and where it was not needed.

    Args:
        runs: The experiments.
        plain: By K, figures of `plain_figures`.

    Returns:
        A Markdown list of experiments that in a condition are not better than
        before training, or over the conditions not better than a labelling
        without learning with as many labels.
    """
    lines = []
    number = {row.name: row.num_clusters for row in ROWS}
    for name, seeds in runs.items():
        for key in ('match_bits', 'agreement'):
            worse = []
            for group in (WITHIN, *ACROSS):
                before, after = (
                    float(np.mean([r[w]['groups'][group][key] for r in seeds]))
                    for w in ('before', 'after')
                )
                if after <= before:
                    worse.append(f'{group} ({before:.3f} to {after:.3f})')
            if worse:
                lines.append(f'- {name}: {key} in {", ".join(worse)}')
        bits = float(np.mean([_bits(run) for run in seeds]))
        for rival, figures in plain.get(number[name], {}).items():
            reached = across(figures, 'match_bits')
            if bits <= reached:
                lines.append(
                    f'- {name}: {bits:.3f} bits across conditions, not above '
                    f'{rival} ({reached:.3f})'
                )
    return '\n'.join(lines) or 'Nowhere.'


def results_page(
    runs: Runs, plain: dict[int, dict[str, Any]], notes: Sequence[str]
) -> str:
    """The document.

    Args:
        runs: By experiment, figures of every seed; at least one.
        plain: By K, figures of `plain_figures`.
        notes: Lines on how it was made: commands, seeds, cost.

    Returns:
        Markdown.
    """
    missing = [row.name for row in ROWS if row.name not in runs]
    if missing:
        notes = [*notes, f'Not measured: {", ".join(missing)}']
    return (
        '\n\n'.join(
            [
                '# The claims, measured in the town',
                'Written by `tools/analysis_tools/town_grid.py`; no figure in '
                'it was typed.',
                '\n'.join(f'- {note}' for note in notes),
                '## All experiments',
                f'`same`: target is {WITHIN}, a second drive in the condition '
                'of the reference. agree, chance, bits: mean over the other '
                'conditions, held-out places, after training; before: labels '
                'of the first clustering. `nocorr`: w_corr = 0; `noseg`: '
                'w_seg = 0; `hinge`: w_feat = 1; `random`: no base network.',
                main_table(runs, plain),
                '## What is claimed',
                'match_bits across conditions unless said otherwise.',
                claims(runs),
                '## Where training did not help',
                'Agreement and match_bits in each condition against those '
                'before training; match_bits across conditions against '
                'labels without learning.',
                disappointments(runs, plain),
                '## Clusters of what moves',
                'How many of the clusters that are mostly of a class are not '
                'stationary, over all seeds.',
                moving_table(runs),
                '## Each condition',
                condition_tables(runs),
            ]
        )
        + '\n'
    )
