"""What was measured of localization, in files, and figures of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgsn_mmseg.files import whole_file
from fgsn_mmseg.localization.recall import THRESHOLDS

from .labellings import Labelling
from .localization import Query, TownLabels
from .localization_methods import Outcome

_QUERIES = 'queries.json'
_AGREEMENT = 'agreement.json'


@dataclass(frozen=True)
class Measured:
    """A labelling with a method, of one seed.

    Attributes:
        labels: Name of the labelling.
        method: Name of the method.
        num_clusters: K.
        seed: Of the network.
        outcomes: By query.
    """

    labels: str
    method: str
    num_clusters: int
    seed: int
    outcomes: dict[str, Outcome]


def within(outcomes: Sequence[Outcome]) -> np.ndarray:
    """Which queries are within which threshold: (N, 3) bool."""
    errors = np.array([[o.metres, o.degrees] for o in outcomes])
    limits = np.array(THRESHOLDS)
    return np.all(errors[:, None] <= limits, axis=2)


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share of independent trials (Wilson, 1927).

    Args:
        share: Seen, in 0..1.
        count: Trials.

    Returns:
        Lower and upper end.
    """
    z = 1.959964
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + (z / count) ** 2 / 4)
    half /= 1 + z**2 / count
    return float(middle - half), float(middle + half)


def paired_interval(
    first: np.ndarray, second: np.ndarray, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a difference of recalls, by the bootstrap.

    Queries are drawn anew, the same ones for both sides.

    Args:
        first: (N,) share of seeds that found each query.
        second: The same of the other side.
        seed: Of the draws.

    Returns:
        Lower and upper end of mean(first) - mean(second).
    """
    rng = np.random.default_rng(seed)
    difference = first - second
    rows = rng.integers(len(difference), size=(2000, len(difference)))
    low, high = np.percentile(difference[rows].mean(1), [2.5, 97.5])
    return float(low), float(high)


def count_agreement(
    queries: Iterable[Query], labels: TownLabels
) -> dict[str, list[int]]:
    """How often right and wrong matches have equal labels.

    Args:
        queries: Of the town.
        labels: Of the town.

    Returns:
        By condition: right matches, of them with equal labels, wrong ones,
        of them with equal labels, points of the map in view, of them with
        the label of the query's pixel.
    """
    counts: dict[str, np.ndarray] = {}
    for query in queries:
        first, second = labels.of_matches(query)
        equal = (first == second) & (first >= 0)
        right = query.right
        row = [right.sum(), (right & equal).sum()]
        row += [(~right).sum(), (~right & equal).sum()]
        first, second = labels.of_view(query)
        row += [len(first), (first == second).sum()]
        counts.setdefault(query.condition, np.zeros(6, np.int64))
        counts[query.condition] += row
    return {name: row.tolist() for name, row in counts.items()}


class LocalizationResults:
    """Files of figures, one for each labelling and method.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, labelling: Labelling, method: str) -> bool:
        """Whether it was measured."""
        return self._path(labelling, method).exists()

    def has_agreement(self, labelling: Labelling) -> bool:
        """Whether equal labels were counted."""
        return (self.folder / labelling.key / _AGREEMENT).exists()

    def save(
        self, labelling: Labelling, method: str, outcomes: list[Outcome]
    ) -> None:
        """Keep what was measured."""
        _write(
            self._path(labelling, method),
            dict(
                labels=labelling.name,
                method=method,
                num_clusters=labelling.num_clusters,
                seed=labelling.seed,
                outcomes=outcomes,
            ),
        )

    def save_agreement(
        self, labelling: Labelling, counts: dict[str, list[int]]
    ) -> None:
        """Keep the counts of :func:`count_agreement`."""
        path = self.folder / labelling.key / _AGREEMENT
        _write(path, dict(labels=labelling.name, counts=counts))

    def save_queries(self, queries: Iterable[Query]) -> None:
        """Keep condition and numbers of matches of each query."""
        rows = {
            query.name: [
                query.condition,
                len(query.right),
                int(query.right.sum()),
            ]
            for query in queries
        }
        _write(self.folder / _QUERIES, rows)

    def queries(self) -> dict[str, tuple[str, int, int]]:
        """Condition, matches and right matches of each query."""
        return json.loads((self.folder / _QUERIES).read_text())

    def agreement(self) -> dict[str, list[np.ndarray]]:
        """By labelling, for each seed: (conditions, 6) counts."""
        found: dict[str, list[np.ndarray]] = {}
        for path in sorted(self.folder.glob(f'*/{_AGREEMENT}')):
            read = json.loads(path.read_text())
            rows = np.array(list(read['counts'].values()))
            found.setdefault(read['labels'], []).append(rows)
        return found

    def measured(self) -> list[Measured]:
        """All that was measured, in order of K, labelling and seed."""
        found = []
        for path in sorted(self.folder.glob('*/*.json')):
            if path.name == _AGREEMENT:
                continue
            read = json.loads(path.read_text())
            outcomes = [Outcome(*row) for row in read.pop('outcomes')]
            by_name = {outcome.name: outcome for outcome in outcomes}
            found.append(Measured(**read, outcomes=by_name))
        return sorted(found, key=lambda m: (m.num_clusters, m.labels, m.seed))

    def _path(self, labelling: Labelling, method: str) -> Path:
        name = method.replace(', ', '-').replace(' ', '-')
        return self.folder / labelling.key / f'{name}.json'


def _write(path: Path, content: Any) -> None:
    with whole_file(path) as part:
        Path(part).write_text(json.dumps(content))
