"""What localization in the town has shown, as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fgsn_mmseg.localization.recall import THRESHOLDS

from ..templates import render_template
from .figures import ACROSS
from .labellings import BASE_CLASSES, NO_LABELS, TRUE_CLASSES
from .localization_methods import (
    FAST,
    SLOW,
    STARTS,
    WITHOUT_LABELS,
    Outcome,
)
from .localization_results import (
    LocalizationResults,
    Measured,
    paired_interval,
    wilson,
    within,
)
from .tables import as_markdown

MIDDLE = 1  # of the thresholds: 0.5 m, 5 deg
RANSAC = 'ransac'
# Methods by which labellings are compared.
COMPARED = ('filter', 'llr')
BINS = ((0, 4), (5, 9), (10, 19), (20, 39), (40, 10**9))
_LIMITS = [f'{m:g} m, {d:g} deg' for m, d in THRESHOLDS]

Runs = dict[tuple[str, str], list[Measured]]


def localization_page(
    results: LocalizationResults, town: Sequence[str], arguments: list[str]
) -> str:
    """The document.

    Args:
        results: All that was measured; at least plain RANSAC.
        town: Lines about the town.
        arguments: Of the command.

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
        command=' '.join(
            ['python projects/town/localize_study.py', *arguments]
        ),
        town=town,
        queries=_query_table(queries),
        overview=_overview(runs, labels),
        claims=list(_claims(runs, labels)),
        disappointments=list(_disappointments(runs, labels)),
        agreement=_agreement_table(results),
        conditions={
            method: _group_table(
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
            method: _group_table(runs, labels, method, _by_right(queries))
            for method in COMPARED
        },
        slow=_slow_table(runs, labels),
        sequences=_sequence_table(runs, labels),
        basin=_basin_table(runs, labels),
        every=_every_table(runs),
    )


def _found(seeds: Sequence[Measured], names: Sequence[str]) -> np.ndarray:
    """Share of the seeds that found each query: (N, 3)."""
    return np.mean(
        [within([one.outcomes[name] for name in names]) for one in seeds], 0
    )


def _names(seeds: Sequence[Measured]) -> list[str]:
    return list(seeds[0].outcomes)


def _percent(share: float) -> str:
    return f'{100 * share:.1f}'


def _interval(found: np.ndarray) -> str:
    """A recall with its interval."""
    low, high = wilson(float(found.mean()), len(found))
    return f'{_percent(found.mean())} [{_percent(low)}, {_percent(high)}]'


def _query_table(queries: dict[str, tuple[str, int, int]]) -> str:
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


def _overview(runs: Runs, labels: Sequence[str]) -> str:
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
    shares = _found(seeds, _names(seeds)).mean(0)
    return ' / '.join(f'{100 * share:.0f}' for share in shares)


def _every_table(runs: Runs) -> str:
    """All figures of all methods that look at single queries."""
    header = ['labels', 'method', 'seeds', 'queries', *_LIMITS]
    header += ['sd of seeds', 'median m', 'median deg', 'ms', 'kept', 'right']
    rows = []
    for (name, method), seeds in runs.items():
        if method == 'pfsl' or method.startswith('align'):
            continue
        names = _names(seeds)
        found = _found(seeds, names)
        outcomes = [o for one in seeds for o in one.outcomes.values()]
        errors = np.array([[o.metres, o.degrees] for o in outcomes])
        middle = np.median(errors, axis=0)
        kept = sum(o.kept for o in outcomes)
        right = sum(o.kept_right for o in outcomes)
        each = [_found([one], names)[:, MIDDLE].mean() for one in seeds]
        spread = f'{100 * np.std(each, ddof=1):.1f}' if len(each) > 1 else '-'
        rows.append(
            [name, method, len(seeds), len(names)]
            + [_interval(column) for column in found.T]
            + [spread, f'{middle[0]:.2f}', f'{middle[1]:.2f}']
            + [f'{1000 * np.mean([o.seconds for o in outcomes]):.0f}']
            + [f'{kept / len(outcomes):.0f}', f'{right / max(kept, 1):.1%}']
        )
    return as_markdown(header, rows)


def _by_right(
    queries: dict[str, tuple[str, int, int]],
) -> dict[str, list[str]]:
    """Names of queries by their number of right matches."""
    return {
        f'{low} to {high}' if high < 10**9 else f'{low} or more': [
            name for name, (_, _, n) in queries.items() if low <= n <= high
        ]
        for low, high in BINS
    }


def _group_table(
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
                    _interval(_found(seeds, own)[:, MIDDLE])
                    for own in groups.values()
                ]
            )
    return as_markdown(header, rows)


def _agreement_table(results: LocalizationResults) -> str:
    """How often right and wrong matches have equal labels."""
    rows = []
    for name, seeds in results.agreement().items():
        shares = np.array([_agreement(counts) for counts in seeds])
        right, wrong = shares.mean(0)
        rows.append(
            [name, len(seeds), f'{right:.3f}', f'{wrong:.3f}']
            + [f'{right / max(wrong, 1e-9):.2f}']
        )
    rows.sort(key=lambda row: -float(row[-1]))
    header = ['labels', 'seeds', 'right matches', 'wrong matches', 'ratio']
    return as_markdown(header, rows)


def _agreement(counts: np.ndarray) -> tuple[float, float]:
    right, equal, wrong, equal_wrong = counts.sum(0)
    return equal / max(right, 1), equal_wrong / max(wrong, 1)


def _slow_table(runs: Runs, labels: Sequence[str]) -> str:
    """Methods that look at fewer queries, with others on the same ones."""
    rows = []
    for name in labels:
        seeds = runs.get((name, 'gsmc'))
        if not seeds:
            continue
        names = _names(seeds)
        first = seeds[0].seed
        for method in ('filter', 'llr', 'llr weight', 'gsmc'):
            own = [m for m in runs.get((name, method), ()) if m.seed == first]
            if own:
                rows.append([name, method, *_slow_cells(own, names)])
        if len(rows) <= 4:
            plain = runs[NO_LABELS, RANSAC]
            rows.insert(0, ['none', RANSAC, *_slow_cells(plain, names)])
    return as_markdown(['labels', 'method', 'queries', *_LIMITS, 'ms'], rows)


def _slow_cells(seeds: list[Measured], names: list[str]) -> list[Any]:
    found = _found(seeds, names)
    spent = np.mean([o.seconds for o in _chosen(seeds[0], names)])
    return [
        len(names),
        *(_interval(column) for column in found.T),
        f'{1000 * spent:.0f}',
    ]


def _chosen(one: Measured, names: Sequence[str]) -> list[Outcome]:
    return [one.outcomes[name] for name in names]


def _sequence_table(runs: Runs, labels: Sequence[str]) -> str:
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
    return as_markdown([*header, 'ms'], rows)


def _basin_table(runs: Runs, labels: Sequence[str]) -> str:
    """`align_labels` from wrong starts: median error, share that improved."""
    rows = []
    methods = [f'align {m:g} m {d:g} deg' for m, d in STARTS]
    for name in labels:
        cells = []
        for (metres, degrees), method in zip(STARTS, methods):
            seeds = runs.get((name, method))
            if not seeds:
                break
            outcomes = list(seeds[0].outcomes.values())
            errors = np.array([[o.metres, o.degrees] for o in outcomes])
            nearer = (errors < [metres, degrees]).all(1).mean()
            middle = np.median(errors, axis=0)
            cells.append(
                f'{middle[0]:.2f} m, {middle[1]:.1f} deg; {nearer:.0%}'
            )
        else:
            rows.append([name, len(outcomes), *cells])
    starts = [f'from {m:g} m, {d:g} deg' for m, d in STARTS]
    return as_markdown(['labels', 'queries', *starts], rows)


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
            for other in (f'{name}, before', f'{name}-nocorr'):
                if rival := runs.get((other, method)):
                    text = f'{method}: {name} against {other}'
                    yield _compared(text, seeds, rival)


def _compared(
    text: str, first: Sequence[Measured], second: Sequence[Measured]
) -> str:
    names = _names(first)
    one, two = (_found(s, names)[:, MIDDLE] for s in (first, second))
    low, high = paired_interval(one, two)
    verdict = 'no difference beyond chance'
    if low > 0:
        verdict = 'higher'
    elif high < 0:
        verdict = '**lower**'
    return (
        f'{text}: {_percent(one.mean())} to {_percent(two.mean())} %, '
        f'difference [{_percent(low)}, {_percent(high)}]: {verdict}.'
    )


def _disappointments(runs: Runs, labels: Sequence[str]) -> Iterator[str]:
    """Rows that are not better than what needs less."""
    plain = runs[NO_LABELS, RANSAC]
    for name in labels:
        for method in (*FAST, *SLOW):
            seeds = runs.get((name, method))
            if not seeds or method == 'pfsl' or method.startswith('align'):
                continue
            names = _names(seeds)
            found = _found(seeds, names)[:, MIDDLE].mean()
            rivals = {'no labels': plain}
            if name.startswith('c'):
                for other in (BASE_CLASSES, f'{name}, before'):
                    if rival := runs.get((other, method)):
                        rivals[other] = rival
            worse = [
                f'{other} ({_percent(reached)})'
                for other, rival in rivals.items()
                if set(names) <= set(_names(rival))
                and found
                <= (reached := _found(rival, names)[:, MIDDLE].mean())
            ]
            if worse:
                yield (
                    f'{name}, {method}: {_percent(found)} %, not above '
                    f'{", ".join(worse)}'
                )
