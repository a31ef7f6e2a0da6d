from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from localization_models import facing_views, write_model

from fgsn_mmseg.localization.model import read_model
from fgsn_mmseg.localization.pair_filters import (
    PairFilters,
    filtered_observations,
    triangulation_angles,
    view_angle,
)

pytest.importorskip('pycolmap', reason='the extra [localization] is absent')


def test_filters_by_hand(tmp_path):
    views, xyz = facing_views()
    # One keypoint is 3 pixels off; its point is no longer seen from there.
    moved = [tuple(p) for p in views[0].points2d]
    moved[1] = (moved[1][0] + 3, moved[1][1])
    views[0] = replace(views[0], points2d=moved)
    model = read_model(write_model(tmp_path / 'off', views, xyz))
    loose = filtered_observations(model, PairFilters(min_track_length=1))
    close = filtered_observations(
        model, PairFilters(min_track_length=1, max_reprojection_error=1)
    )
    assert len(loose['cam/000.jpg'][0]) == len(close['cam/000.jpg'][0]) + 1
    assert len(loose['cam/001.jpg'][0]) == len(close['cam/001.jpg'][0])

    seen_by = {i: [] for i in xyz}
    for number, view in enumerate(views):
        for i in view.point_ids[1:]:
            seen_by[i].append(np.array([float(number), 0, 0]))
    angles = []
    for i in sorted(xyz):
        rays = [np.array(xyz[i]) - centre for centre in seen_by[i]]
        cosines = [
            a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            for a in rays
            for b in rays
        ]
        angles.append(np.degrees(np.arccos(min([*cosines, 1.0]))))
    np.testing.assert_allclose(triangulation_angles(model), angles, atol=1e-5)
    limit = float(np.median(angles))
    kept = filtered_observations(
        model, PairFilters(min_triangulation_angle=limit)
    )
    rows = np.unique(np.concatenate([rows for rows, _ in kept.values()]))
    np.testing.assert_array_equal(
        rows, np.flatnonzero(np.array(angles) >= limit)
    )

    long = filtered_observations(model, PairFilters(min_track_length=4))
    rows = np.unique(np.concatenate([rows for rows, _ in long.values()]))
    expected = [len(seen_by[i]) >= 4 for i in sorted(xyz)]
    np.testing.assert_array_equal(rows, np.flatnonzero(expected))
    images = list(model.images.values())
    assert view_angle(images[0], images[3]) == pytest.approx(6.0)


def test_filters_are_checked():
    with pytest.raises(ValueError, match='`max_view_angle` should be 0'):
        PairFilters(max_view_angle=float('nan'))
    with pytest.raises(ValueError, match='`min_matches` should be at least'):
        PairFilters(min_matches=0)
