"""The demo and the grid, from nothing, on the tiny town."""

from __future__ import annotations

import json
import re

import pytest

from town.study import BASE_CONFIG, DEMO_CONFIG, FGSN_CONFIG

LOADER = dict(batch_size=2, num_workers=0, persistent_workers=False)


def shortened(tmp_path, fgsn, options):
    """Both configs, shortened to a few iterations."""
    paths = []
    for config, iters, more in (
        (BASE_CONFIG, 2, ''),
        (
            fgsn,
            6,
            f"custom_hooks = [dict(type='ClusteringHook', interval=2{options},"
            ' dataloader={{_base_.reference_dataloader}})]\n',
        ),
    ):
        path = tmp_path / f'{config.stem[:4]}_short.py'
        path.write_text(
            f'_base_ = [{str(config)!r}]\n'
            f'train_dataloader = {LOADER!r}\n'
            f'train_cfg = dict(max_iters={iters}, val_interval=2)\n'
            'default_hooks = dict(checkpoint=dict(interval=2))\n' + more
        )
        paths.append(path)
    return '--base', paths[0], '--fgsn', paths[1]


@pytest.mark.slow
def test_demo_from_nothing(tmp_path, start):
    options = (
        ", whitening='correspondences', pair_means=True, classifier='fitted'"
    )
    configs = shortened(tmp_path, DEMO_CONFIG, options)
    work = tmp_path / 'demo'
    args = ('demo.py', '--work-dir', work, '--size', 'tiny', *configs)
    first = start(*args)
    shown = first[first.index('Labels of held-out places') :]
    for name in ('summer2 (same condition)', 'autumn', 'winter', 'rain'):
        assert re.search(
            rf'^{re.escape(name)} +(\d\.\d{{3}} *){{6}}$', shown, re.M
        )
    for name in ('raw colour', 'hand-made', 'base network', 'FGSN after'):
        assert re.search(rf'^{name}.* \d+$', shown, re.M)
    assert str(work / 'report.html') in shown
    page = (work / 'report.html').read_text()
    assert 'One place in all conditions' in page
    assert len(list((work / 'fgsn').glob('clustering_iter_*.h5'))) == 3
    # All that is shown comes from this file.
    figures = json.loads((work / 'fgsn/figures.json').read_text())
    night = figures['after']['groups']['night']['agreement']
    assert re.search(rf'^night .* {night:.3f} +\S+ +\S+$', shown, re.M)
    weights = work / 'fgsn/iter_6.pth'
    age = weights.stat().st_mtime_ns
    second = start(*args)
    assert second.endswith('s in all\n')
    assert 'is there' in second
    assert weights.stat().st_mtime_ns == age


@pytest.mark.slow
def test_grid_row_by_row(tmp_path, start):
    configs = shortened(tmp_path, FGSN_CONFIG, '')
    town, work = tmp_path / 'town', tmp_path / 'grid'
    start('render.py', town, '--size', 'tiny')
    out = tmp_path / 'docs' / 'results.md'
    args = ('grid.py', town, *configs, '--work-dir', work)
    args += ('--out', out, '--seeds', '5', '--rows', 'c20')
    start(*args)
    assert '| c20 | 1 |' in out.read_text()
    before = (work / 'c20_seed5.json').stat().st_mtime_ns
    start(*args, 'c20-nocorr')
    assert (work / 'c20_seed5.json').stat().st_mtime_ns == before
    text = out.read_text()
    assert 'with correspondences against without them' in text
    assert '--rows c20 c20-nocorr' in text
    assert 'Seeds of base network and FGSN: [5]' in text


def test_errors_are_one_line(call, tmp_path):
    done = call('grid.py', tmp_path, '--rows', 'c21')
    assert done.code.startswith('grid.py: `rows` should be among c20')
    assert '\n' not in done.code


def test_help_shows_every_default(check_help):
    check_help('demo.py')
    check_help('grid.py')
