from __future__ import annotations

import numpy as np
import pytest
from localization_models import facing_views, write_model

from fgsn_mmseg.localization.model import read_model

pycolmap = pytest.importorskip('pycolmap', reason='no extra [localization]')


def test_models_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match='folder of a COLMAP model'):
        read_model(tmp_path / 'none')
    views, xyz = facing_views()
    broken = write_model(tmp_path / 'broken', views, xyz)
    text = (broken / 'images.txt').read_text()
    (broken / 'images.txt').write_text(text[: len(text) // 3])
    empty = write_model(tmp_path / 'empty', [], {})
    (tmp_path / 'other').mkdir()
    for path in (broken, empty, tmp_path / 'other'):
        with pytest.raises(ValueError, match=str(path)) as caught:
            read_model(path)
        assert '\n' not in str(caught.value)


def test_a_model_without_images(tmp_path):
    _, xyz = facing_views()
    path = write_model(tmp_path / 'model', [], xyz)
    with pytest.raises(ValueError, match='0 images with a pose and 60 p'):
        read_model(path)


def _nan_in_a_point(model):
    model.points3D[3].xyz = np.array([np.nan, 0, 5])


def _nan_in_a_keypoint(model):
    model.images[2].points2D[1].xy = np.array([np.nan, 3])


def _nan_in_a_camera(model):
    model.cameras[1].params = [np.nan, 150, 80, 60]


@pytest.mark.parametrize(
    'spoil, text',
    [
        (_nan_in_a_point, '1 of 60 points and 0 of 4 images'),
        (_nan_in_a_keypoint, '0 of 60 points and 1 of 4 images'),
        (_nan_in_a_camera, '0 of 60 points and 1 of 4 images'),
    ],
)
def test_numbers_that_are_none(tmp_path, spoil, text):
    """Binary models can hold NaN."""
    path = write_model(tmp_path / 'text', *facing_views())
    model = pycolmap.Reconstruction(path)
    spoil(model)
    (tmp_path / 'binary').mkdir()
    model.write_binary(tmp_path / 'binary')
    with pytest.raises(ValueError, match=text) as caught:
        read_model(tmp_path / 'binary')
    assert '\n' not in str(caught.value)
