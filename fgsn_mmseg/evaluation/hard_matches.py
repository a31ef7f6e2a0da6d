"""Agreement against wrong matches that somebody might have believed.

`match_bits` takes any two points for a wrong match, so that labels which only
say how high in the image a point lies tell much. Photos of one place are
taken upright: a matcher that errs mostly errs to something of the same height.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .agreement import label_pair, match_bits

# Points of a pair that are compared with each other: time and memory grow
# with the square.
MAX_POINTS = 1000


class HardMatches(NamedTuple):
    """Sums over some matches; those of several pairs are added up."""

    matches: int
    """Matches that have a plausible wrong one."""
    agreeing: int
    """Of these, matches whose two labels are equal."""
    chance: float
    """Sum over them of the share of wrong matches with equal labels."""


def hard_matches(
    labels: ArrayLike,
    labels2: ArrayLike,
    points: ArrayLike,
    points2: ArrayLike,
    size: tuple[int, int],
    size2: tuple[int, int],
    max_height: float = 0.05,
    min_distance: float = 32.0,
) -> HardMatches:
    """Compare the matches of one pair with plausible wrong ones.

    A wrong match of correspondences i and j joins i in one image with j in
    the other. It is plausible if in this other image the two points lie at
    nearly the same height and are not one place. Both directions count.

    Args:
        labels: (N,) in the reference.
        labels2: (N,) in the target.
        points: (N, 2), x and y in pixels of the reference's file.
        points2: (N, 2) in pixels of the target's file.
        size: (H, W) of the reference's file.
        size2: (H, W) of the target.
        max_height: Difference of heights below which a wrong match is
            plausible, as a share of the image's height.
        min_distance: Least distance of the two points, in pixels.

    Returns:
        Sums of this pair; a pair with more than 1,000 correspondences counts
        with 1,000 of them, spread evenly over their order.

    Raises:
        ValueError: The shapes do not fit.
    """
    first, second = label_pair(labels, labels2)
    places = [np.asarray(points, float), np.asarray(points2, float)]
    if any(one.shape != (len(first), 2) for one in places):
        raise ValueError(
            f'`points` should be of shape ({len(first)}, 2), but got '
            f'{places[0].shape} and {places[1].shape}. Give one for each '
            'label.'
        )
    count = len(first)
    chosen = np.unique(np.arange(MAX_POINTS) * count // MAX_POINTS)
    chosen = chosen[:count]
    first, second = first[chosen], second[chosen]
    equal = first[:, None] == second
    wrong = np.zeros(len(chosen))
    wrong_equal = np.zeros(len(chosen))
    for one, (height, _), same in zip(places, (size, size2), (equal.T, equal)):
        offset = one[chosen][:, None] - one[chosen]
        plausible = np.abs(offset[..., 1]) < max_height * height
        plausible &= (offset**2).sum(-1) >= min_distance**2
        wrong += plausible.sum(1)
        wrong_equal += (plausible & same).sum(1)
    has = wrong > 0
    return HardMatches(
        int(has.sum()),
        int((first == second)[has].sum()),
        float((wrong_equal[has] / wrong[has]).sum()),
    )


def hard_figures(parts: Iterable[HardMatches]) -> dict[str, float]:
    """Figures of a whole set.

    Each correspondence counts alike, however many wrong matches it has.

    Args:
        parts: Of each pair.

    Returns:
        ``match_bits_hard``, bits as in :func:`match_bits`, where a chance
        below one in all matches counts as that (a few points would give
        infinity), and ``chance_hard``, in [0, 1]. Both are 0 if no
        correspondence has a plausible wrong match.
    """
    matches, agreeing, chance = np.sum([(0, 0, 0.0), *parts], axis=0).tolist()
    if not matches:
        return {'match_bits_hard': 0.0, 'chance_hard': 0.0}
    # Rounding may put the sum of shares above their number.
    chance = min(chance / matches, 1.0)
    bits = match_bits(agreeing / matches, max(chance, 1 / matches))
    return {'match_bits_hard': bits, 'chance_hard': chance}
