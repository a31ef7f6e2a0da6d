from __future__ import annotations

import numpy as np
import psutil
import pytest

from fgsn_mmseg.clustering import FeatureReservoir


def offer(reservoir, images, per_image=7, channels=3):
    """Features that tell their image and their place."""
    for image in images:
        rows = np.zeros((per_image, channels), np.float32)
        rows[:, 0], rows[:, 1] = image, np.arange(per_image)
        reservoir.add(image, rows, seed=1000 + image)
    return reservoir


def test_all_are_kept_in_the_order_of_the_images():
    found = offer(FeatureReservoir(), [2, 0, 1]).features()
    assert found[:, 0].tolist() == [0] * 7 + [1] * 7 + [2] * 7
    assert found[:, 1].tolist() == [*range(7)] * 3


@pytest.mark.parametrize('limit', [1, 10, 34])
def test_what_stays_depends_on_nothing_but_the_seeds(limit):
    """The order of images, how many processes share them, when it is full."""
    alone = offer(FeatureReservoir(limit), range(20)).features()
    assert len(alone) == limit
    shuffled = offer(FeatureReservoir(limit), [*range(10, 20), *range(10)])
    np.testing.assert_array_equal(shuffled.features(), alone)
    for ranks in (2, 3):
        merged = FeatureReservoir(limit)
        merged.merge(
            offer(FeatureReservoir(limit), range(rank, 20, ranks))
            for rank in range(ranks)
        )
        np.testing.assert_array_equal(merged.features(), alone)
    # By the definition: the smallest keys of all.
    keys = [
        (key, image, place)
        for image in range(20)
        for place, key in enumerate(
            np.random.default_rng(1000 + image).random(7)
        )
    ]
    expected = sorted((i, p) for _, i, p in sorted(keys)[:limit])
    assert [tuple(row) for row in alone[:, :2].astype(int)] == expected


def test_each_is_as_likely_as_any_other():
    counts = np.zeros(20)
    for trial in range(400):
        reservoir = FeatureReservoir(30)
        for image in range(20):
            rows = np.full((1 + image, 1), image, np.float32)
            reservoir.add(image, rows, seed=trial * 1000 + image)
        images = reservoir.features()[:, 0].astype(int)
        counts += np.bincount(images, minlength=20)
    share = counts / (np.arange(20) + 1) / 400  # 30 of 210 stay
    assert abs(share.mean() - 30 / 210) < 0.01
    assert abs(share[10:] - 30 / 210).max() < 0.03


def test_nothing_at_all():
    assert len(FeatureReservoir(5).features()) == 0


@pytest.mark.slow
def test_a_million_images():
    """500 features each: the memory is that of the limit, twice."""
    limit, channels = 50_000, 16
    reservoir = FeatureReservoir(limit)
    rows = np.zeros((500, channels), np.float32)
    process, largest = psutil.Process(), 0
    for image in range(1_000_000):
        reservoir.add(image, rows, seed=image)
        if image == 1000:
            before = process.memory_info().rss
        if image % 1000 == 0:
            assert len(reservoir) <= 2 * limit
            largest = max(largest, process.memory_info().rss)
    assert len(reservoir.features()) == limit
    # Features, keys and places of twice the limit, and a copy of them.
    assert largest - before < 2 * 2 * limit * (4 * channels + 24)
