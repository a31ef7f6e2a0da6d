"""Which pairs train and which validate: making and checking the lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .name_list import ImageNames

TRAIN_LIST = 'corr_train.txt'
VAL_LIST = 'corr_val.txt'
REFERENCE_LIST = 'reference_image_names.txt'


def split_pairs(
    references: dict[str, str], train_share: float = 0.7, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Divide pairs so that no reference image is on both sides.

    The reference images, sorted, are put in random order and divided where
    the number of training pairs is nearest to ``train_share`` of all.

    Args:
        references (dict[str, str]): Name of a pair file -> its reference
            image, in any order.
        train_share (float): Share of the pairs that train, in (0, 1).
            Defaults to 0.7.
        seed (int): Seed of the random order. Defaults to 0.

    Returns:
        tuple[list[str], list[str]]: Names of the training and of the
        validation pairs, each sorted, neither empty.

    Raises:
        ValueError: ``train_share`` is out of its range, or there are fewer
            than two reference images.
    """
    if not 0 < train_share < 1:
        raise ValueError(
            f'`train_share` should be between 0 and 1, but got {train_share}.'
        )
    counts = Counter(references.values())
    images = sorted(counts)
    if len(images) < 2:
        raise ValueError(
            'Pairs to split should have at least 2 reference images, but got '
            f'{len(images)} in {len(references)} pairs. Add pairs of others.'
        )
    order = np.random.default_rng(seed).permutation(len(images))
    cumulative = np.cumsum([counts[images[i]] for i in order])
    # The last one always validates, the first one always trains.
    distance = np.abs(cumulative[:-1] - train_share * len(references))
    chosen = {images[i] for i in order[: int(distance.argmin()) + 1]}
    names = sorted(references)
    train = [name for name in names if references[name] in chosen]
    val = [name for name in names if references[name] not in chosen]
    return train, val


def check_split(
    train: Sequence[str], val: Sequence[str], references: dict[str, str]
) -> list[str]:
    """Say what is wrong with two given lists.

    Args:
        train (Sequence[str]): Names of the training pairs.
        val (Sequence[str]): Names of the validation pairs.
        references (dict[str, str]): Name of a pair file -> its reference
            image, of all pairs that can be used.

    Returns:
        list[str]: One sentence per kind of problem, empty if there is none.
    """
    problems = []
    for title, names in ((TRAIN_LIST, train), (VAL_LIST, val)):
        repeated = [n for n, count in Counter(names).items() if count > 1]
        unknown = [n for n in names if n not in references]
        if repeated:
            problems.append(
                f'{title} names {len(repeated)} pairs more than once, the '
                f'first is {repeated[0]!r}.'
            )
        if unknown:
            problems.append(
                f'{title} names {len(unknown)} pairs that cannot be used, '
                f'the first is {unknown[0]!r}.'
            )
    both = sorted(set(train) & set(val))
    if both:
        problems.append(
            f'{len(both)} pairs train and validate, the first is {both[0]!r}.'
        )
    images = [
        {references[n] for n in names if n in references}
        for names in (train, val)
    ]
    shared = sorted(images[0] & images[1])
    if shared:
        problems.append(
            f'{len(shared)} reference images train and validate, the first '
            f'is {shared[0]!r}.'
        )
    return problems


def check_reference_names(
    names: Sequence[str], images: Sequence[str]
) -> list[str]:
    """Say which names of a reference list are no reference image.

    Args:
        names (Sequence[str]): Lines of the list, see :class:`ImageNames`.
        images (Sequence[str]): Reference images of all pairs.

    Returns:
        list[str]: One sentence, or none.
    """
    known = ImageNames(images)
    unknown = [name for name in names if not known.find(name)]
    if not unknown:
        return []
    return [
        f'{REFERENCE_LIST} names {len(unknown)} of {len(names)} images that '
        f'are in no pair as reference, the first is {unknown[0]!r}.'
    ]
