from __future__ import annotations

import numpy as np
from hloc_worlds import write_hloc
from localization_models import facing_views

from fgsn_mmseg.datasets.pair_file import read_pair_file

TOOL = 'tools/dataset_converters/hloc_to_correspondences.py'


def test_converts_and_needs_no_extra(tmp_path, call_tool):
    views, _ = facing_views(num_points=100)
    write_hloc(tmp_path, views)
    (tmp_path / 'photos').mkdir()
    paths = [tmp_path / n for n in ('features.h5', 'matches.h5', 'photos')]
    done = call_tool(
        TOOL, *paths, tmp_path / 'out', '--min-matches', 15, '--prefix', 'p'
    )
    assert done.returncode == 0, done.error
    assert '12 pairs of 4 images' in done.stdout
    pair = read_pair_file(
        tmp_path / 'out/correspondence_data/cam_001--cam_000.mat'
    )
    assert pair['img_path'] == 'p/cam/001.jpg'
    spots = np.array(views[1].points2d) - 0.5
    gap = np.abs(pair['points'][:, None] - spots).max(2).min(1)
    assert gap.max() < 1e-4
    done = call_tool(TOOL, tmp_path / 'x.h5', *paths[1:], tmp_path / 'out2')
    assert done.returncode == 1 and 'HDF5 file of hloc' in done.error


def test_help(check_help):
    check_help(TOOL)
