from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest
from localization_models import facing_views, write_model

from fgsn_mmseg.evaluation import write_label_map
from fgsn_mmseg.localization.map_labels import MapLabels

TOOL = 'tools/localization/label_map.py'
MASKS = 'tools/localization/make_masks.py'


@pytest.fixture
def place(tmp_path):
    """A model, label maps and photos of its four images."""
    views, xyz = facing_views()
    write_model(tmp_path / 'model', views, xyz)
    for i, view in enumerate(views):
        stem = view.name[:-4]
        labels = np.full((120, 160), 7 if i else 3)
        write_label_map(str(tmp_path / f'maps/{stem}.png'), labels)
        (tmp_path / 'photos/cam').mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / 'photos' / view.name), np.zeros((120, 160)))
    content = dict(num_clusters=8, stationary=[7])
    (tmp_path / 'stationary.json').write_text(json.dumps(content))
    return tmp_path


def test_labels_a_model(place, call_tool):
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    out = place / 'out.npz'
    done = call_tool(
        TOOL,
        place / 'model',
        place / 'maps',
        out,
        '--stationary',
        place / 'stationary.json',
    )
    assert done.returncode == 0, done.error
    found = MapLabels.load(out)
    assert set(found.labels) == {7, -1}
    assert f'{(found.labels == 7).sum()} of 60 points' in done.stdout
    assert (place / 'out.ply').is_file()


@pytest.mark.parametrize(
    'change, text',
    [
        (dict(model='none'), "folder of a COLMAP model, but got '"),
        (dict(model='photos'), 'readable COLMAP model'),
        (dict(maps='none'), 'folder of label maps'),
        (dict(out='out.txt'), 'should end in .npz'),
        (dict(num=5), 'should be below 5, but got 7'),
    ],
)
def test_bad_input_is_one_line(place, call_tool, change, text):
    pytest.importorskip('pycolmap', reason='no extra [localization]')
    done = call_tool(
        TOOL,
        place / change.get('model', 'model'),
        place / change.get('maps', 'maps'),
        place / change.get('out', 'out.npz'),
        '--num-clusters',
        change.get('num', 8),
    )
    assert done.returncode == 1 and text in done.error
    assert '\n' not in done.error


def test_makes_masks(place, call_tool):
    done = call_tool(
        MASKS,
        place / 'photos',
        place / 'maps',
        place / 'stationary.json',
        place / 'masks',
    )
    assert done.returncode == 0, done.error
    masks = [
        cv2.imread(str(place / f'masks/cam/{i:03d}.jpg.png'), -1)
        for i in range(4)
    ]
    assert not masks[0].any() and (np.stack(masks[1:]) == 255).all()


def test_without_the_extra_one_line_says_what_to_install(
    place, call_tool, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'pycolmap', None)
    done = call_tool(TOOL, place / 'model', place / 'maps', place / 'o.npz')
    assert done.returncode == 1 and '\n' not in done.error
    assert "pip install 'fgsn-mmseg[localization]'" in done.error
