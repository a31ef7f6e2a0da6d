"""What the experiments in the town have shown, as a document."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .grid import NUMBERS, ROWS, SINGLE
from .grid_tables import (
    Rivals,
    Runs,
    bits_across,
    condition_tables,
    main_table,
    moving_table,
    rivals_of,
    spread,
)
from .study import ACROSS, WITHIN, across

USED_SHARE = 0.8  # below it, clusters count as lost


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
            bits_across,
        )
    for name, text in (
        ('noseg', 'with the dense loss against without it'),
        ('hinge', 'without the feature hinge against with it'),
        ('random', 'from the base network against a random start'),
    ):
        lines += _compare(
            f'K = {SINGLE}: {text}',
            (runs.get(f'c{SINGLE}'), runs.get(f'c{SINGLE}-{name}')),
            bits_across,
        )
    for small, large in itertools.pairwise(NUMBERS):
        lines += _compare(
            f'K = {large} against K = {small}',
            (runs.get(f'c{large}'), runs.get(f'c{small}')),
            bits_across,
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


def disappointments(runs: Runs, rivals: Rivals) -> str:
    """Where training did not help, and where it was not needed.

    Args:
        runs: The experiments.
        rivals: See `rivals_of`.

    Returns:
        A Markdown list of experiments that in a condition are not better than
        before training, or over the conditions not better than a rival with
        as many labels, or that leave clusters unused.
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
        used = float(np.mean([r['after']['used_clusters'] for r in seeds]))
        if used < USED_SHARE * number[name]:
            lines.append(
                f'- {name}: {used:.0f} of {number[name]} clusters are used'
            )
        bits = float(np.mean([bits_across(run) for run in seeds]))
        for rival, figures in rivals[number[name]].items():
            reached = float(
                np.mean([across(f, 'match_bits') for f in figures])
            )
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
    rivals = rivals_of(runs, plain)
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
                main_table(runs, rivals),
                '## What is claimed',
                'match_bits across conditions unless said otherwise.',
                claims(runs),
                '## Where training did not help',
                'Agreement and match_bits in each condition against those '
                'before training; match_bits across conditions against '
                'labels without learning; clusters in use.',
                disappointments(runs, rivals),
                '## Clusters of what moves',
                'How many of the clusters that are mostly of a class are not '
                'stationary, over all seeds.',
                moving_table(runs),
                '## Each condition',
                condition_tables(runs, rivals),
            ]
        )
        + '\n'
    )
