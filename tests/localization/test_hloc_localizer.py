"""The class that docs/localization.md shows for hloc's own pipeline."""

from __future__ import annotations

import re
import sys
from types import ModuleType, SimpleNamespace

import cv2  # noqa: F401  before pycolmap
import numpy as np
import pytest
from localization_worlds import (
    CAMERA,
    ROTATION,
    TRANSLATION,
    make_matches,
)

from fgsn_mmseg.localization import estimate_pose, pose_error
from fgsn_mmseg.localization.map_labels import MapLabels

pycolmap = pytest.importorskip('pycolmap', reason='no extra [localization]')
pytest.importorskip('poselib', reason='no extra [localization]')


class QueryLocalizer:
    """What hloc's class keeps; its `localize` is overridden."""

    def __init__(self, reconstruction, config=None):
        self.reconstruction = reconstruction


@pytest.fixture
def localizer_class(repo_root, monkeypatch):
    page = (repo_root / 'docs/localization.md').read_text()
    (code,) = [
        block
        for block in re.findall(r'```python\n(.*?)```', page, re.DOTALL)
        if 'class LabelLocalizer' in block
    ]
    module = ModuleType('hloc.localize_sfm')
    module.QueryLocalizer = QueryLocalizer
    monkeypatch.setitem(sys.modules, 'hloc', ModuleType('hloc'))
    monkeypatch.setitem(sys.modules, 'hloc.localize_sfm', module)
    names = dict(np=np, estimate_pose=estimate_pose)
    exec(code, names)
    return names['LabelLocalizer']


def test_returns_what_hloc_reads(localizer_class):
    matches = make_matches(200, 80, seed=0)
    ids = np.arange(200) + 5
    points = {
        int(i): SimpleNamespace(xyz=xyz)
        for i, xyz in zip(ids, matches.points3d)
    }
    localizer = localizer_class(SimpleNamespace(points3D=points))
    # Keypoints that are not matched come first.
    localizer.labels2d = np.r_[[0] * 7, matches.labels2d]
    localizer.map_labels = MapLabels(
        ids, matches.points3d, matches.labels3d, np.ones(200), np.ones(200)
    )
    keypoints = np.vstack([np.zeros((7, 2)), matches.points2d])
    camera = pycolmap.Camera(**CAMERA)
    found = localizer.localize(
        keypoints, np.arange(200) + 7, ids.tolist(), camera
    )
    pose = found['cam_from_world']
    rotation = np.array(pose.rotation.matrix())
    error = pose_error(rotation, pose.translation, ROTATION, TRANSLATION)
    assert error[0] < 1e-3 and error[1] < 0.01
    assert found['num_inliers'] == found['inlier_mask'].sum() >= 80
    assert localizer.localize(keypoints, [], [], camera) is None
