"""What is claimed of the method, and what the figures say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from .figures import Figures, across
from .grid import BEST, EVERYWHERE, NUMBERS, OPTIONS, SINGLE
from .tables import spread

# Of one experiment, one entry a seed: figures 'before' and 'after'.
Runs = dict[str, list[dict[str, Figures]]]


def bits_across(
    run: dict[str, Figures], when: str = 'after', key: str = 'match_bits'
) -> float:
    """A figure over the conditions that differ, of one seed."""
    return across(run[when], key)


def claims(runs: Runs) -> Iterator[str]:
    """What is said of the method, and what the figures say.

    A difference counts where it is larger than the spread of both sides
    together (root of the summed variances); with one seed there is none.
    """
    pairs = [
        (
            f'c{k}',
            f'c{k}-nocorr',
            k,
            'with correspondences against without them',
        )
        for k in NUMBERS
    ]
    pairs += [
        (f'c{SINGLE}', f'c{SINGLE}-{name}', SINGLE, text)
        for name, text in (
            ('noseg', 'with the dense loss against without it'),
            ('hinge', 'without the feature hinge against with it'),
            ('random', 'from the base network against a random start'),
        )
    ]
    comparisons: list[tuple] = [
        (f'K = {k}: {text}', runs.get(one), runs.get(other))
        for one, other, k, text in pairs
    ]
    comparisons += [
        (f'K = {large} against K = {small}',)
        + tuple(runs.get(f'c{k}') for k in (large, small))
        for small, large in itertools.pairwise(NUMBERS)
    ]
    for text, one, other in comparisons:
        if one and other:
            yield _compared(
                text,
                [bits_across(r) for r in one],
                [bits_across(r) for r in other],
            )
    yield from _claims_of_options(runs)
    for k in NUMBERS:
        if seeds := runs.get(f'c{k}'):
            yield _compared(
                f'K = {k}: NMI with the classes, after training against '
                'before',
                [run['after']['NMI'] for run in seeds],
                [run['before']['NMI'] for run in seeds],
            )


def _claims_of_options(runs: Runs) -> Iterator[str]:
    """Each option, and the best of them at each K, against the paper's."""
    names = {k: list(EVERYWHERE) for k in NUMBERS}
    names[SINGLE] = list(OPTIONS)
    for k in NUMBERS:
        recipe = runs.get(f'c{k}')
        for name in names[k]:
            own = runs.get(f'c{k}-{name}')
            if not own or not recipe:
                continue
            for key in ('match_bits', 'match_bits_hard'):
                yield _compared(
                    f"K = {k}: {name} against the paper's recipe, {key}",
                    [bits_across(run, key=key) for run in own],
                    [bits_across(run, key=key) for run in recipe],
                )
            if name == BEST:
                yield _catching_up(k, own, recipe)


def _catching_up(k: int, own: Sequence, recipe: Sequence) -> str:
    """How soon the one has what the other has in the end."""
    goal = float(np.mean([bits_across(run) for run in recipe]))
    numbers = sorted(map(int, own[0]['curve']))
    means = [
        float(np.mean([r['curve'][str(n)]['match_bits'] for r in own]))
        for n in numbers
    ]
    reached = [n for n, mean in zip(numbers, means) if mean >= goal]
    text = f"K = {k}: {BEST} has the match_bits of the paper's recipe "
    if not reached:
        return f'{text}**at none** of its checkpoints {numbers}.'
    return f'{text}at iteration {reached[0]} of {numbers[-1]}.'


def _compared(
    text: str, first: Sequence[float], second: Sequence[float]
) -> str:
    difference = float(np.mean(first) - np.mean(second))
    variances = [np.var(v, ddof=1) for v in (first, second) if len(v) > 1]
    noise = float(np.sqrt(np.sum(variances)))
    verdict = 'no difference beyond the spread'
    if abs(difference) > noise:
        verdict = 'higher' if difference > 0 else '**lower**'
    if min(len(first), len(second)) < 2:
        verdict += ' (one seed)'
    return f'{text}: {spread(first)} to {spread(second)}: {verdict}.'
