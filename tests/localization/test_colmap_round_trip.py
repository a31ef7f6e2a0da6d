from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from fgsn_mmseg.datasets import read_pair_file
from fgsn_mmseg.localization.colmap_pairs import colmap_to_correspondences
from fgsn_mmseg.localization.model import read_model

pytest.importorskip('pycolmap', reason='the extra [localization] is absent')


@pytest.mark.parametrize('name', ['sacre_coeur', 'reichstag'])
def test_models_give_the_pairs_beside_them_again(name, tmp_path, repo_root):
    root = repo_root.parent / 'shared/data' / name
    if not root.is_dir():
        pytest.skip(f'../shared/data/{name} is not on this machine')
    folder = {'sacre_coeur': 'sacre_coeur/mapping'}.get(name, f'{name}/photos')
    colmap_to_correspondences(
        root / 'colmap', root / 'images', tmp_path, prefix=folder
    )
    made = {p.name: p for p in (tmp_path / 'correspondence_data').iterdir()}
    given = {p.name: p for p in (root / 'correspondence_data').iterdir()}
    assert set(made) == set(given)
    model = read_model(root / 'colmap')
    for file in given:
        pair, truth = read_pair_file(made[file]), read_pair_file(given[file])
        for key in ('img_path', 'img_path2'):
            assert pair[key] == truth[key]
        # Where one image has several keypoints of a point, the two writers
        # chose by different rules; all else is the same.
        possible = _possible_matches(
            *(
                model.images[Path(pair[k]).name]
                for k in ('img_path', 'img_path2')
            )
        )
        rows, expected = (
            np.column_stack([one['points'], one['points2']])
            for one in (pair, truth)
        )
        assert len(rows) == len(expected)
        for one in (rows, expected):
            assert cKDTree(possible).query(one)[0].max() < 1e-3
        distance, nearest = cKDTree(rows).query(expected)
        same = distance < 1e-3
        assert same.mean() > 0.95
        # One writer puts the centre half a pixel away.
        np.testing.assert_allclose(
            pair['dist_from_center'][nearest[same]],
            truth['dist_from_center'][same],
            atol=3e-3,
        )


def _possible_matches(first, second):
    """All (x, y, x2, y2) of one 3D point, 0 = first pixel."""
    return [
        (*(a - 0.5), *(b - 0.5))
        for a, i in zip(first.points2d, first.point_rows)
        if i >= 0
        for b in second.points2d[second.point_rows == i]
    ]
