from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from localization_models import facing_views, write_model

TOOL = 'tools/dataset_converters/colmap_to_correspondences.py'


@pytest.fixture
def place(tmp_path):
    views, xyz = facing_views()
    write_model(tmp_path / 'model', views, xyz)
    (tmp_path / 'photos/cam').mkdir(parents=True)
    for view in views:
        cv2.imwrite(str(tmp_path / 'photos' / view.name), np.ones((120, 160)))
    return tmp_path


def test_converts(place, call_tool):
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    done = call_tool(
        TOOL,
        place / 'model',
        place / 'photos',
        place / 'out',
        '--references',
        'cam/000.jpg',
        'cam/002.jpg',
        '--min-matches',
        5,
    )
    assert done.returncode == 0, done.error
    assert '4 pairs of 4 images' in done.stdout
    assert (place / 'out/corr_val.txt').read_text().count('\n') == 2
    again = call_tool(TOOL, place / 'model', place / 'photos', place / 'out')
    assert again.returncode == 1 and 'without pairs' in again.error


def test_help(check_help):
    check_help(TOOL)


def test_without_the_extra_one_line_says_what_to_install(
    place, call_tool, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'pycolmap', None)
    done = call_tool(TOOL, place / 'model', place / 'photos', place / 'out')
    assert done.returncode == 1 and '\n' not in done.error
    assert "pip install 'fgsn-mmseg[localization]'" in done.error
