"""The page: all in one file, and what it shows is what was measured."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest

from fgsn_mmseg.evaluation.survey import PairLabels, Survey
from town.study.examples import (
    HALF,
    ZOOM,
    cluster_consistency,
    example_matches,
    match_patch,
    ranked_clusters,
)
from town.study.report import (
    PlaceView,
    picture,
    run_report,
)
from town.study.tables import Table


def decoded(text):
    """All images in a text, RGB."""
    data = re.findall(r'base64,([A-Za-z0-9+/=]+)', text)
    raw = [np.frombuffer(base64.b64decode(one), np.uint8) for one in data]
    return [cv2.imdecode(one, cv2.IMREAD_COLOR)[..., ::-1] for one in raw]


def test_a_flat_picture_keeps_every_pixel():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    (back,) = decoded(picture(image, 'map', flat=True).source)
    np.testing.assert_array_equal(back, image)


def labelled(img_path2, labels, labels2, points=None):
    labels = np.array(labels)
    if points is None:
        points = np.full((len(labels), 2), 20.0)
    return PairLabels(
        'root/a/summer/0.png',
        img_path2,
        np.asarray(points, float),
        np.asarray(points, float),
        labels,
        np.array(labels2),
        (60, 90),
        (60, 90),
    )


def test_consistency_and_ranks_by_hand():
    survey = Survey(
        5,
        [
            labelled('b', [0, 0, 1, 2], [0, 1, 1, 3]),
            labelled('c', [0, 0, 2, 1, 3], [0, 0, 2, 1, 0]),
        ],
    )
    shares, total = cluster_consistency(survey)
    np.testing.assert_array_equal(total, [4, 2, 2, 1, 0])
    np.testing.assert_array_equal(shares, [0.75, 1.0, 0.5, 0.0, np.nan])
    assert ranked_clusters(shares, total, 3, 1) == ([1, 0], [3, 2])
    assert ranked_clusters(shares, total, 1, 2) == ([1], [2])
    assert ranked_clusters(shares, total, 3, 3) == ([0], [])


def test_the_example_is_the_middle_of_the_fullest_pair():
    points = [[0, 0], [10, 10], [11, 10], [30, 30]]
    survey = Survey(
        3,
        [
            labelled('x/b', [1], [1]),
            labelled('x/b', [1, 1, 1, 2], [1, 1, 1, 2], points),
            labelled('y/c', [2], [0]),
        ],
    )
    found = example_matches(survey, 1, lambda pair: pair.img_path2[0])
    assert list(found) == ['x']
    pair, index = found['x']
    assert pair is survey.pairs[1]
    assert index in (1, 2)


@pytest.mark.parametrize('label2, colour', [(4, (30, 160, 70)), (3, 214)])
def test_patch_shows_both_ends(label2, colour):
    """The pixel under each point is in the middle of its half."""
    first, second = np.zeros((2, 60, 90, 3), np.uint8)
    first[10, 70], second[5, 3] = 255, 255
    pair = PairLabels(
        'a',
        'b',
        np.array([[70.4, 9.6]]),
        np.array([[2.8, 5.2]]),
        np.array([4]),
        np.array([label2]),
        (60, 90),
        (60, 90),
    )
    patch = match_patch(first, second, pair, 0)
    side = 2 * HALF * ZOOM
    assert patch.shape == (side + 8, 2 * side + 12, 3)
    middle = 4 + HALF * ZOOM
    spot = slice(middle, middle + ZOOM)
    assert patch[spot, spot].min() > 150
    right = slice(middle + side + 4, middle + side + 4 + ZOOM)
    assert patch[spot, right].min() > 150
    frame = patch[0, 0]
    assert np.array_equal(frame, colour) or frame[0] == colour


@pytest.fixture
def page(tmp_path):
    """Two conditions of a place, one of them never a target."""
    rng = np.random.default_rng(1)
    paths, maps = [], {}
    for name in ('summer', 'night'):
        path = tmp_path / f'{name}.png'
        cv2.imwrite(str(path), rng.integers(0, 256, (48, 64, 3), np.uint8))
        paths.append(str(path))
        maps[str(path)] = rng.integers(0, 4, (48, 64)).astype(np.uint16)
    labels, labels2 = rng.integers(0, 4, (2, 400))
    sizes = (48, 64), (48, 64)
    pair = PairLabels(
        *paths, *rng.uniform(0, 47, (2, 400, 2)), labels, labels2, *sizes
    )
    other = PairLabels(
        *paths, *np.zeros((2, 1, 2)), *np.full((2, 1), 3), *sizes
    )
    survey = Survey(4, [pair, other], maps, np.ones(4), np.full(4, 10.0))
    rows = [['one', 0.12345], [3, None]]
    return run_report(
        Table(['a<b', 'x'], rows, [('up', 1)]),
        Table(['A & B'], []),
        PlaceView(['summer', 'a "night"'], paths),
        survey,
        survey,
        {'loss': [(5, 2.0), (10, 1.0)], 'agreement': [(10, 0.5)]},
        [0],
        ['road', 'sky', 'car', 'wall'],
        lambda one: 'night' if one is pair else 'fog',
    )


def test_page_stands_alone(page):
    # Nothing is fetched: no address but the names of XML and its licences.
    assert '<script' not in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert not re.search(r'url\((?!#)', page)
    # Two photos, four maps, two overlays; a patch for each cluster, and one
    # more for the only cluster in fog.
    assert len(decoded(page)) == 2 + 4 + 2 + 4 + 1
    assert page.count('<svg') == 2
    for text in ('Most consistent', 'Least consistent', '4 are stationary'):
        assert text in page
    assert page.count('<span>no match</span>') == 3


def test_text_is_escaped_and_pictures_are_not(page):
    assert page.startswith('<!DOCTYPE html>')
    assert 'a&lt;b' in page and '<th>A &amp; B</th>' in page
    assert 'alt="photo, a &#34;night&#34;"' in page
    assert '&lt;svg' not in page


def test_table_cells(page):
    assert '>0.123<' in page
    assert '<td>3</td><td>–</td>' in page  # noqa: RUF001
    assert '<tr><th></th><th colspan="1" class="span">up</th></tr>' in page


def test_an_empty_cell_keeps_its_place(page):
    # One above the names of the rows in each of the three grids.
    assert page.count('<span></span>') == 3
    assert page.count('repeat(2,') == 3
