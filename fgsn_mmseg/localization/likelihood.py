"""The K x K table of what a pair of labels says about a match."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike

from fgsn_mmseg.files import whole_file

from .label_scores import NO_LABEL, as_labels


class LabelLikelihood:
    """Log likelihood ratios of pairs of labels.

    ``table[a, b]`` = log p(a, b | right) - log p(a, b | wrong), where a is
    the label of the query's pixel and b that of the point of the map. It
    knows that a tree in summer is often another label in winter, and that
    wrong matches share labels more often than random ones.

    Args:
        table (ArrayLike): (K, K) finite floats, natural logarithms.

    Raises:
        ValueError: The table is not square or not finite.
    """

    def __init__(self, table: ArrayLike) -> None:
        self.table = np.asarray(table, dtype=np.float64)
        if (
            self.table.ndim != 2
            or self.table.shape[0] != self.table.shape[1]
            or not np.isfinite(self.table).all()
        ):
            raise ValueError(
                '`table` should be finite and of shape (K, K), but got '
                f'{self.table.shape}. Learn it with `from_counts`.'
            )

    @property
    def num_clusters(self) -> int:
        """K."""
        return len(self.table)

    @classmethod
    def from_counts(
        cls, right: ArrayLike, wrong: ArrayLike, prior: float | None = None
    ) -> LabelLikelihood:
        """Learn the table from counted matches.

        Both distributions are smoothed towards the same one, in which the
        two labels are independent and as frequent as in all matches
        together: p(a, b) = (count + prior * share(a) * share(b)) / (sum +
        prior). Each label's share is counted with one match more, so that no
        probability is 0.

        Args:
            right: (K, K) numbers of right matches by label of the query and
                of the map.
            wrong: The same of wrong matches.
            prior: Matches that the independent distribution counts for.
                Defaults to K.

        Returns:
            The table.

        Raises:
            ValueError: The shapes differ, a count is negative, or there are
                no matches of a kind.
        """
        counts = [np.asarray(part, np.float64) for part in (right, wrong)]
        shape = counts[0].shape
        if len(shape) != 2 or shape[0] != shape[1] or shape != counts[1].shape:
            raise ValueError(
                '`right` and `wrong` should be of one shape (K, K), but got '
                f'{shape} and {counts[1].shape}.'
            )
        for name, part in zip(('right', 'wrong'), counts):
            if not (part >= 0).all() or part.sum() == 0:
                raise ValueError(
                    f'`{name}` should hold counts of at least one match, but '
                    f'got a sum of {part.sum():g} and a smallest count of '
                    f'{part.min():g}. Take more pairs.'
                )
        weight = float(shape[0] if prior is None else prior)
        if not weight > 0:
            raise ValueError(f'`prior` should be above 0, but got {prior!r}.')
        both = counts[0] + counts[1]
        rows, columns = both.sum(1) + 1, both.sum(0) + 1
        apart = np.outer(rows / rows.sum(), columns / columns.sum())
        logs = [
            np.log((part + weight * apart) / (part.sum() + weight))
            for part in counts
        ]
        return cls(logs[0] - logs[1])

    def scores(self, labels2d: ArrayLike, labels3d: ArrayLike) -> np.ndarray:
        """Score matches: above 0 speaks for right, below 0 for wrong.

        Args:
            labels2d: (N,) labels of the query's pixels.
            labels3d: (N,) labels of the points.

        Returns:
            (N,) float64; 0 where either label is none (-1 or 65535).

        Raises:
            ValueError: A label is K or above.
        """
        query = as_labels(labels2d, 'labels2d')
        mapped = as_labels(labels3d, 'labels3d')
        check_label_range(query, 'labels2d', self.num_clusters)
        check_label_range(mapped, 'labels3d', self.num_clusters)
        known = (query != NO_LABEL) & (mapped != NO_LABEL)
        scores = np.zeros(len(query))
        scores[known] = self.table[query[known], mapped[known]]
        return scores

    def save(self, path: str | os.PathLike) -> None:
        """Write ``.npz``; the file appears whole or not at all."""
        with whole_file(path) as part, open(part, 'wb') as file:
            np.savez_compressed(file, table=self.table)

    @classmethod
    def load(cls, path: str | os.PathLike) -> LabelLikelihood:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: The file is another one.
        """
        try:
            with np.load(path) as data:
                return cls(data['table'])
        except (KeyError, ValueError, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ValueError(
                '`path` should be a table of label likelihoods (.npz), but '
                f'got {os.fspath(path)!r} ({error}).'
            ) from error


def check_label_range(labels: np.ndarray, name: str, num: int) -> None:
    """Raise ValueError if a label is ``num`` or above."""
    if labels.size and labels.max() >= num:
        raise ValueError(
            f'`{name}` should be below {num}, but got {labels.max()}. Were '
            'both made by one network?'
        )


def count_label_pairs(
    labels: ArrayLike, labels2: ArrayLike, num_clusters: int
) -> np.ndarray:
    """Count pairs of labels.

    Args:
        labels: (N,) labels of the queries' pixels.
        labels2: (N,) labels of the points they were matched to.
        num_clusters: K.

    Returns:
        (K, K) int64; pairs in which either label is none are not counted.

    Raises:
        ValueError: A label is K or above.
    """
    first = as_labels(labels, 'labels')
    second = as_labels(labels2, 'labels2')
    check_label_range(first, 'labels', num_clusters)
    check_label_range(second, 'labels2', num_clusters)
    known = (first != NO_LABEL) & (second != NO_LABEL)
    flat = first[known] * num_clusters + second[known]
    counts = np.bincount(flat, minlength=num_clusters**2)
    return counts.reshape(num_clusters, num_clusters)
