"""hloc's files of the views of localization_models."""

from __future__ import annotations

import h5py
import numpy as np


def write_hloc(root, views, wrong_share=0.0, old_names=False, seed=0):
    """features.h5 and matches.h5; returns the right matches by pair."""
    rng = np.random.default_rng(seed)
    with h5py.File(root / 'features.h5', 'w') as file:
        for view in views:
            group = file.create_group(view.name)
            # 0 is the centre of the first pixel there.
            points = np.array(view.points2d) - 0.5
            group['keypoints'] = points.astype(np.float32)
            group['keypoints'].attrs['uncertainty'] = 1.0
            group['image_size'] = np.array([160, 120])
    right = {}
    with h5py.File(root / 'matches.h5', 'w') as file:
        for a in range(len(views)):
            for b in range(a + 1, len(views)):
                # Every second pair is stored the other way round.
                first, second = (a, b) if (a + b) % 2 else (b, a)
                one, two = views[first], views[second]
                at = {i: k for k, i in enumerate(two.point_ids) if i >= 0}
                partner = np.array([at.get(i, -1) for i in one.point_ids])
                right[one.name, two.name] = partner.copy()
                spoilt = rng.random(len(partner)) < wrong_share
                others = rng.integers(0, len(two.point_ids), len(partner))
                partner[spoilt] = others[spoilt]
                names = [v.name.replace('/', '-') for v in (one, two)]
                name = ('_' if old_names else '/').join(names)
                group = file.create_group(name)
                group['matches0'] = partner.astype(np.int16)
                group['matching_scores0'] = (partner >= 0).astype(np.float16)
    return right
