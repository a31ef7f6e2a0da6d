"""The localization study on the tiny town, and its figures by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from town.study.labellings import find_labellings
from town.study.localization_methods import STARTS, Outcome
from town.study.localization_page import photo_table
from town.study.localization_results import (
    Measured,
    paired_interval,
    wilson,
    within,
)
from town.study.localization_tables import agreement_shares, basin_table

SCRIPT = 'localize_study.py'


@pytest.mark.slow
def test_measures_once_and_writes_the_page(tiny_world, tmp_path, call):
    """Without trainings: no labels, and the true classes."""
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    pytest.importorskip('poselib', reason='no extra [localization]')
    work, page = tmp_path / 'work', tmp_path / 'page.md'
    command = [SCRIPT, tiny_world, tmp_path / 'grid', '--work-dir', work]
    command += ['--out', page, '--slow-labels', 'true classes']
    done = call(*command)
    assert done.code is None, done.code
    text = page.read_text()
    for heading in ('Overview', "The paper's order", 'Sequences'):
        assert f'## {heading}' in text
    assert '| none: ransac | 1 |' in text and '| true classes | 1 |' in text
    # Nobody's folders.
    assert str(tmp_path) not in text and f'{SCRIPT} ' in text
    results = work / 'results'
    read = json.loads((results / 'true-classes_seed0/filter.json').read_text())
    # One held-out street, two places, five conditions.
    assert len(read['outcomes']) == 10
    assert all(row[4] >= row[5] for row in read['outcomes'])
    starts = [f'align-{m:g}-m-{d:g}-deg.json' for m, d in STARTS]
    for name in ('gsmc.json', 'pfsl.json', 'llr-weight.json', *starts):
        assert (results / 'true-classes_seed0' / name).is_file()
    counts = json.loads(
        (results / 'true-classes_seed0/agreement.json').read_text()
    )['counts']
    right, equal, wrong, equal_wrong, seen, equal_seen = np.sum(
        list(counts.values()), axis=0
    )
    assert equal <= right and equal_wrong <= wrong
    # True classes agree but for pixels at borders.
    assert 0.8 * seen < equal_seen <= seen
    # What is there is not measured again; what is gone is.
    (results / 'true-classes_seed0/filter.json').unlink()
    before = (results / 'none_seed0/ransac.json').stat().st_mtime_ns
    done = call(*command)
    assert '  filter: 10 queries' in done.out
    assert '  ransac: ' not in done.out and '  gsmc: ' not in done.out
    assert (results / 'none_seed0/ransac.json').stat().st_mtime_ns == before


def test_finished_trainings_become_labellings(tmp_path):
    for name, number in (('c20', 20), ('c20-nocorr', 20), ('base', 19)):
        run = tmp_path / f'{name}_seed1'
        run.mkdir()
        (run / 'finished').touch()
        config = f'model = dict(num_clusters={number})\n'
        (tmp_path / f'{name}_seed1.py').write_text(config)
    (tmp_path / 'c100_seed1').mkdir()  # is being trained
    found = find_labellings(tmp_path, [1])
    assert [(one.name, one.num_clusters, one.who) for one in found] == [
        ('none', 0, ''),
        ('true classes', 19, 'truth'),
        ('base network, classes', 19, 'base'),
        ('c20, before', 20, 'teacher'),
        ('c20', 20, 'student'),
        ('c20-nocorr', 20, 'student'),
    ]
    assert len(find_labellings(tmp_path, [0])) == 2


def test_thresholds_and_intervals_by_hand():
    outcomes = [
        Outcome('a', 0.2, 1.9, 0.1, 5, 4),
        Outcome('b', 0.2, 2.1, 0.1, 5, 4),
        Outcome('c', 6.0, 1.0, 0.1, 5, 4),
        Outcome('d', np.inf, np.inf, 0.1, 5, 4),
    ]
    np.testing.assert_array_equal(
        within(outcomes),
        [[True] * 3, [False, True, True], [False] * 3, [False] * 3],
    )
    # 5 of 10: the textbook's example.
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0.0, 10)[0] == pytest.approx(0)
    better = np.r_[np.ones(30), np.zeros(70)]
    low, high = paired_interval(better, np.zeros(100))
    assert 0.2 < low < 0.3 < high < 0.4
    # The same queries on both sides: no difference, no doubt.
    assert paired_interval(better, better) == (0, 0)


def test_agreement_by_hand():
    # Two conditions: right matches, equal ones, wrong, equal, in view, equal.
    first = np.array([[10, 4, 90, 9, 50, 20], [10, 6, 110, 1, 50, 30]])
    second = np.array([[0, 0, 10, 0, 10, 10]])
    np.testing.assert_allclose(agreement_shares([first]), [0.5, 0.05, 0.5])
    np.testing.assert_allclose(
        agreement_shares([first, second]), [0.25, 0.025, 0.75]
    )


def test_basin_by_hand():
    outcomes = {
        name: Outcome(name, metres, degrees, 0.1, 0, 0)
        for name, metres, degrees in (('a', 0.2, 0.5), ('b', 0.4, 1.5))
    }
    run = Measured('c20', 'align 0.25 m 1 deg', 20, 0, outcomes)
    table = basin_table({('c20', run.method): [run]}, ['c20', 'c100'])
    assert table.count('\n') <= 3
    assert '| c20 | 0.25 m, 1 deg | 2 | 0.30 m, 1.0 deg | 50.0 |' in table
    assert '| 50.0 [9.5, 90.5] | 100.0 [34.2, 100.0] |' in table


def test_photos_by_hand(tmp_path):
    path = tmp_path / 'place --ratio 1.csv'
    path.write_text(
        'name,right,equal_right,ransac_distance,ransac_degrees,'
        'ssmc_distance,ssmc_degrees\n'
        'a.jpg,9,nan,0.0100,1.00,inf,inf\n'
        'b.jpg,7,0.5,0.0300,0.10,0.0200,2.00\n'
        'c.jpg,7,0.5,0.0100,2.10,0.0010,0.10\n'
    )
    text = photo_table(path)
    first, _, header, *_ = text.splitlines()
    assert first == 'Within 0.02 and 2 deg, of 3: ransac 1, ssmc 2.'
    assert header.startswith('| name | right |')
    assert '| a.jpg | 9 | - | 0.0100 | 1.00 | inf | inf |' in text


def test_help(check_help):
    check_help(SCRIPT)
