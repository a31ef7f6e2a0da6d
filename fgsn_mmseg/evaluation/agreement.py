"""What the labels of two images say about each other at correspondences.

All figures pool the correspondences of the whole set: label arrays of all
pairs are concatenated before any of these functions is called. Arrays may be
numpy arrays or tensors on the CPU.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def label_pair(
    labels: ArrayLike, labels2: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Check two label arrays and return them as (N,) int64."""
    first, second = np.asarray(labels), np.asarray(labels2)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(
            '`labels` and `labels2` should be of one shape (N,), but got '
            f'{first.shape} and {second.shape}. Give both images one label '
            'for each correspondence.'
        )
    return first.astype(np.int64), second.astype(np.int64)


def _label_counts(labels: np.ndarray, num_clusters: int) -> np.ndarray:
    """Count each label; (num_clusters,) int64."""
    if len(labels) and not (labels.min() >= 0 and labels.max() < num_clusters):
        raise ValueError(
            f'`labels` should be in [0, num_clusters={num_clusters}), but '
            f'got values from {labels.min()} to {labels.max()}. Drop ignored '
            'points first and check `num_clusters`.'
        )
    return np.bincount(labels, minlength=num_clusters)


def label_agreement(labels: ArrayLike, labels2: ArrayLike) -> float:
    """Share of correspondences whose two labels are equal.

    Args:
        labels: (N,) labels in the reference images.
        labels2: (N,) labels in the target images.

    Returns:
        Agreement in [0, 1]; 0 where there is no correspondence.

    Raises:
        ValueError: The two arrays are not both of shape (N,).
    """
    first, second = label_pair(labels, labels2)
    return float((first == second).mean()) if len(first) else 0.0


def chance_agreement(
    labels: ArrayLike, labels2: ArrayLike, num_clusters: int
) -> float:
    """Agreement expected if the pairs were put together by chance.

    The sum over the labels of the product of both images' label shares: 1 for
    a network that has one label everywhere, 1/K where all K labels are
    equally frequent.

    Args:
        labels: (N,) labels in the reference images, in [0, num_clusters).
        labels2: (N,) labels in the target images, in [0, num_clusters).
        num_clusters: K.

    Returns:
        Chance agreement in [0, 1]; 0 where there is no correspondence.

    Raises:
        ValueError: Shapes differ or a label is outside its range.
    """
    first, second = label_pair(labels, labels2)
    if not len(first):
        return 0.0
    # Whole numbers to the last division: one label everywhere gives exactly
    # 1, so that rounding cannot put the agreement above it.
    together = np.dot(
        _label_counts(first, num_clusters),
        _label_counts(second, num_clusters),
    )
    return int(together) / len(first) ** 2


def match_bits(agreement: float, chance: float) -> float:
    """What the test "are the two labels equal?" tells about a match, in bits.

    ``a log2(a / c) + (1 - a) log2((1 - a) / (1 - c))``: the divergence of the
    test's outcome on right matches from its outcome on random ones. It asks
    for consistency (a near 1) and fineness (c near 0) at once and can be
    compared across clusterings and across K.

    Args:
        agreement: a, in [0, 1].
        chance: c, in [0, 1].

    Returns:
        Bits >= 0. 0 where a <= c: labels that agree less than chance help
        nobody. Infinite for c = 0 < a, which no set of correspondences gives.

    Raises:
        ValueError: A value is outside [0, 1] or not a number.
    """
    for name, value in (('agreement', agreement), ('chance', chance)):
        if not 0 <= value <= 1:
            raise ValueError(
                f'`{name}` should be in [0, 1], but got {value!r}. It is a '
                'share of the correspondences.'
            )
    if agreement <= chance:
        return 0.0
    if chance == 0:
        return math.inf
    bits = agreement * math.log2(agreement / chance)
    if agreement < 1:  # x log x -> 0 at the other end
        rest = 1 - agreement
        bits += rest * math.log2(rest / (1 - chance))
    return max(bits, 0.0)  # rounding, where a is just above c


def _plain_mutual_information(
    first: np.ndarray, second: np.ndarray, num_clusters: int
) -> float:
    """Mutual information in bits of two (N,) label arrays, as counted."""
    # Only label pairs that occur are counted: at most N of them, where a
    # dense K x K table would take 800 MB at K = 10,000.
    code, joint = np.unique(first * num_clusters + second, return_counts=True)
    marginal = _label_counts(first, num_clusters)[code // num_clusters]
    marginal2 = _label_counts(second, num_clusters)[code % num_clusters]
    ratio = joint * (len(first) / (marginal * marginal2.astype(np.float64)))
    return float((joint * np.log2(ratio)).sum() / len(first))


def mutual_information(
    labels: ArrayLike, labels2: ArrayLike, num_clusters: int, seed: int = 0
) -> float:
    """Mutual information of the two labels, corrected for chance, in bits.

    Counted from N samples, mutual information is too large by an amount that
    grows with K. The same figure with the pairs shuffled measures that amount
    and is taken away. The result may be slightly below 0. It does not ask for
    *equal* labels: it also rewards a network that renames its labels from
    season to season.

    Args:
        labels: (N,) labels in the reference images, in [0, num_clusters).
        labels2: (N,) labels in the target images, in [0, num_clusters).
        num_clusters: K; time and memory grow with K and N, not with K squared.
        seed: Seed of the shuffle, which has a generator of its own.

    Returns:
        Bits; 0 where there is no correspondence.

    Raises:
        ValueError: Shapes differ or a label is outside its range.
    """
    first, second = label_pair(labels, labels2)
    if not len(first):
        return 0.0
    shuffled = np.random.default_rng(seed).permutation(second)
    return _plain_mutual_information(
        first, second, num_clusters
    ) - _plain_mutual_information(first, shuffled, num_clusters)


def label_usage(
    labels: ArrayLike, labels2: ArrayLike, num_clusters: int
) -> dict[str, float]:
    """How much the labels of both images are used.

    Args:
        labels: (N,) labels in the reference images, in [0, num_clusters).
        labels2: (N,) labels in the target images, in [0, num_clusters).
        num_clusters: K.

    Returns:
        ``used_clusters``, the number of different labels;
        ``used_clusters_tenth``, those that have at least a tenth of an equal
        share, 0.1 / K, of all 2 N labels: a label seen once counts for
        nothing; ``entropy`` of the shares in bits, at most log2(K). All are
        0 without correspondences.

    Raises:
        ValueError: Shapes differ or a label is outside its range.
    """
    counts = _label_counts(
        np.concatenate(label_pair(labels, labels2)), num_clusters
    )
    used = counts[counts > 0]
    shares = used / max(counts.sum(), 1)
    return {
        'used_clusters': len(used),
        'used_clusters_tenth': int((shares >= 0.1 / num_clusters).sum()),
        'entropy': abs(math.fsum(-shares * np.log2(shares))),
    }


def agreement_figures(
    labels: ArrayLike, labels2: ArrayLike, num_clusters: int, seed: int = 0
) -> dict[str, float]:
    """All agreement figures of one set of correspondences.

    Args:
        labels: (N,) labels in the reference images, in [0, num_clusters).
        labels2: (N,) labels in the target images, in [0, num_clusters).
        num_clusters: K.
        seed: Seed of the shuffle in :func:`mutual_information`.

    Returns:
        ``match_bits`` (first: mmengine's ``save_best='auto'`` selects by the
        first figure), ``agreement``, ``chance``, ``mutual_information`` and
        those of :func:`label_usage`. All are 0 without correspondences.

    Raises:
        ValueError: Shapes differ or a label is outside its range.
    """
    agreement = label_agreement(labels, labels2)
    chance = chance_agreement(labels, labels2, num_clusters)
    return {
        'match_bits': match_bits(agreement, chance),
        'agreement': agreement,
        'chance': chance,
        'mutual_information': mutual_information(
            labels, labels2, num_clusters, seed
        ),
        **label_usage(labels, labels2, num_clusters),
    }
