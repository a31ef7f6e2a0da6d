"""Tables of localization in the town."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fgsn_mmseg.localization.recall import THRESHOLDS

from .figures import ACROSS
from .labellings import NO_LABELS
from .localization_methods import FAST, STARTS, WITHOUT_LABELS, Outcome
from .localization_results import (
    LocalizationResults,
    Measured,
    wilson,
    within,
)
from .tables import as_markdown

MIDDLE = 1  # of the thresholds: 0.5 m, 5 deg
RANSAC = 'ransac'
BINS = ((0, 4), (5, 9), (10, 19), (20, 39), (40, 10**9))
_LIMITS = [f'{m:g} m, {d:g} deg' for m, d in THRESHOLDS]

Runs = dict[tuple[str, str], list[Measured]]
"""By labelling and method, what was measured with each seed."""
Queries = dict[str, tuple[str, int, int]]
"""By query, its condition, its matches and the right ones among them."""


def found_shares(
    seeds: Sequence[Measured], names: Sequence[str]
) -> np.ndarray:
    """Share of the seeds that found each query: (N, 3)."""
    return np.mean(
        [within([one.outcomes[name] for name in names]) for one in seeds], 0
    )


def query_names(seeds: Sequence[Measured]) -> list[str]:
    """Queries that a method looked at."""
    return list(seeds[0].outcomes)


def percent(share: float) -> str:
    """A share in percent."""
    return f'{100 * share:.1f}'


def _interval(found: np.ndarray) -> str:
    """A recall with its interval."""
    low, high = wilson(float(found.mean()), len(found))
    return f'{percent(found.mean())} [{percent(low)}, {percent(high)}]'


def query_table(queries: Queries) -> str:
    """Matches of each condition's queries."""
    rows: list[list[Any]] = []
    for condition in ACROSS:
        own = np.array([q[1:] for q in queries.values() if q[0] == condition])
        if not len(own):
            continue
        rows.append(
            [condition, len(own)]
            + [f'{np.median(own[:, i]):.0f}' for i in (0, 1)]
            + [f'{own[:, 1].sum() / max(own[:, 0].sum(), 1):.1%}']
        )
    header = ['condition', 'queries', 'matches', 'right ones', 'share']
    return as_markdown(header, rows)


def overview(runs: Runs, labels: Sequence[str]) -> str:
    """A row for each labelling, a column for each fast method."""
    rows: list[list[Any]] = []
    for method in WITHOUT_LABELS:
        if seeds := runs.get((NO_LABELS, method)):
            cell = _cell(seeds)
            rows.append([f'none: {method}', 1, *([cell] * len(FAST))])
    for name in labels:
        found = [runs.get((name, method)) for method in FAST]
        if any(found):
            count = max(len(seeds or ()) for seeds in found)
            cells = [_cell(seeds) if seeds else None for seeds in found]
            rows.append([name, count, *cells])
    return as_markdown(['labels', 'seeds', *FAST], rows)


def _cell(seeds: Sequence[Measured]) -> str:
    shares = found_shares(seeds, query_names(seeds)).mean(0)
    return ' / '.join(f'{100 * share:.0f}' for share in shares)


def every_table(runs: Runs) -> str:
    """All figures of all methods that look at single queries."""
    header = ['labels', 'method', 'seeds', 'queries', *_LIMITS]
    header += ['sd of seeds', 'median m', 'median deg', 'ms', 'kept', 'right']
    rows = []
    for (name, method), seeds in runs.items():
        if method == 'pfsl' or method.startswith('align'):
            continue
        names = query_names(seeds)
        found = found_shares(seeds, names)
        outcomes = [o for one in seeds for o in one.outcomes.values()]
        errors = np.array([[o.metres, o.degrees] for o in outcomes])
        middle = np.median(errors, axis=0)
        kept = sum(o.kept for o in outcomes)
        right = sum(o.kept_right for o in outcomes)
        each = [found_shares([one], names)[:, MIDDLE].mean() for one in seeds]
        spread = f'{100 * np.std(each, ddof=1):.1f}' if len(each) > 1 else '-'
        rows.append(
            [name, method, len(seeds), len(names)]
            + [_interval(column) for column in found.T]
            + [spread, f'{middle[0]:.2f}', f'{middle[1]:.2f}']
            + [f'{1000 * np.mean([o.seconds for o in outcomes]):.0f}']
            + [f'{kept / len(outcomes):.0f}', f'{right / max(kept, 1):.1%}']
        )
    return as_markdown(header, rows)


def by_right(
    queries: Queries,
) -> dict[str, list[str]]:
    """Names of queries by their number of right matches."""
    return {
        f'{low} to {high}' if high < 10**9 else f'{low} or more': [
            name for name, (_, _, n) in queries.items() if low <= n <= high
        ]
        for low, high in BINS
    }


def group_table(
    runs: Runs,
    labels: Sequence[str],
    method: str,
    groups: dict[str, list[str]],
) -> str:
    """Recall at the middle threshold in groups of queries."""
    groups = {name: own for name, own in groups.items() if own}
    header = ['labels', *(f'{name} ({len(groups[name])})' for name in groups)]
    rows = []
    for name in labels:
        seeds = runs.get((name, RANSAC if name == NO_LABELS else method))
        if seeds:
            rows.append(
                [name if name != NO_LABELS else f'none: {RANSAC}']
                + [
                    _interval(found_shares(seeds, own)[:, MIDDLE])
                    for own in groups.values()
                ]
            )
    return as_markdown(header, rows)


def agreement_table(results: LocalizationResults) -> str:
    """How often right and wrong matches have equal labels."""
    rows: list[list[Any]] = []
    for name, seeds in results.agreement().items():
        right, wrong, view = agreement_shares(seeds)
        rows.append(
            [name, len(seeds), f'{right:.3f}', f'{wrong:.3f}']
            + [f'{view:.3f}', f'{right / max(wrong, 1e-9):.2f}']
        )
    rows.sort(key=lambda row: -float(row[-1]))
    header = ['labels', 'seeds', 'right matches', 'wrong matches']
    header += ['points in view', 'ratio of the first two']
    return as_markdown(header, rows)


def agreement_shares(seeds: Sequence[np.ndarray]) -> np.ndarray:
    """Shares of equal labels: right matches, wrong ones, points in view.

    Args:
        seeds: Of each, (conditions, 6) counts.

    Returns:
        (3,), the mean of the seeds.
    """
    totals = [counts.sum(0) for counts in seeds]
    return np.mean([n[1::2] / np.maximum(n[::2], 1) for n in totals], axis=0)


def slow_table(runs: Runs, labels: Sequence[str]) -> str:
    """Methods that look at fewer queries, with others on the same ones."""
    rows = []
    for name in labels:
        seeds = runs.get((name, 'gsmc'))
        if not seeds:
            continue
        names = query_names(seeds)
        first = seeds[0].seed
        for method in ('filter', 'llr', 'llr weight', 'gsmc'):
            own = [m for m in runs.get((name, method), ()) if m.seed == first]
            if own:
                rows.append([name, method, *_slow_cells(own, names)])
        if len(rows) <= 4:
            plain = runs[NO_LABELS, RANSAC]
            rows.insert(0, ['none', RANSAC, *_slow_cells(plain, names)])
    header = ['labels', 'method', 'queries', *_LIMITS, 'ms']
    return as_markdown(header, rows) if rows else ''


def _slow_cells(seeds: list[Measured], names: list[str]) -> list[Any]:
    found = found_shares(seeds, names)
    spent = np.mean([o.seconds for o in _chosen(seeds[0], names)])
    return [
        len(names),
        *(_interval(column) for column in found.T),
        f'{1000 * spent:.0f}',
    ]


def _chosen(one: Measured, names: Sequence[str]) -> list[Outcome]:
    return [one.outcomes[name] for name in names]


def sequence_table(runs: Runs, labels: Sequence[str]) -> str:
    """PFSL: first and last image of each sequence."""
    rows = []
    for name in labels:
        for one in runs.get((name, 'pfsl'), ())[:1]:
            drives: dict[tuple[str, ...], list[Outcome]] = {}
            for key, outcome in one.outcomes.items():
                drives.setdefault(tuple(key.split('/')[:2]), []).append(
                    outcome
                )
            ends = [
                np.array(
                    [[d[i].metres, d[i].degrees] for d in drives.values()]
                )
                for i in (0, -1)
            ]
            medians = [np.median(end, axis=0) for end in ends]
            last = within([drive[-1] for drive in drives.values()])
            seconds = np.mean([o.seconds for o in one.outcomes.values()])
            rows.append(
                [name, len(drives)]
                + [f'{m[0]:.2f} m, {m[1]:.1f} deg' for m in medians]
                + [_interval(column) for column in last.T]
                + [f'{1000 * seconds:.0f}']
            )
    header = ['labels', 'sequences', 'first image', 'last image', *_LIMITS]
    return as_markdown([*header, 'ms'], rows) if rows else ''


def basin_table(runs: Runs, labels: Sequence[str]) -> str:
    """`align_labels` from wrong starts: where it ends."""
    rows: list[list[Any]] = []
    for name in labels:
        for start in STARTS:
            seeds = runs.get((name, 'align {:g} m {:g} deg'.format(*start)))
            if not seeds:
                continue
            outcomes = list(seeds[0].outcomes.values())
            errors = np.array([[o.metres, o.degrees] for o in outcomes])
            nearer = (errors < start).all(1).mean()
            middle = np.median(errors, axis=0)
            rows.append(
                [name, '{:g} m, {:g} deg'.format(*start), len(outcomes)]
                + [f'{middle[0]:.2f} m, {middle[1]:.1f} deg', percent(nearer)]
                + [_interval(column) for column in within(outcomes).T]
            )
    header = ['labels', 'start', 'queries', 'median end', 'nearer', *_LIMITS]
    return as_markdown(header, rows) if rows else ''
