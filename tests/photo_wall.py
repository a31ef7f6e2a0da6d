"""A wall with a texture, photographed by level cameras: a COLMAP model."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from localization_models import View, write_model

SIZE = (160, 120)
# Pixels that a metre of the wall, 5 m away, takes.
_SCALE = 30
SHIFTS = {
    'db/0.png': (0.0, 0.0),
    'db/1.png': (0.4, 0.1),
    'db/2.png': (-0.3, 0.2),
    'query.png': (0.2, -0.1),
}


def write_wall(root: Path, names=tuple(SHIFTS)) -> dict:
    """Write photos/ of all and model/ of those that are named.

    Keypoints of the model lie on a grid of the wall, so that SIFT has none
    of them exactly. Returns the true poses.
    """
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (300, 400)), (0, 0), 1.5)
    wall = cv2.normalize(wall, None, 0, 255, cv2.NORM_MINMAX)
    grid = np.stack(np.meshgrid(np.arange(-5, 5, 0.1), np.arange(-4, 4, 0.1)))
    grid = grid.reshape(2, -1).T
    xyz = {i + 1: (x, y, 5.0) for i, (x, y) in enumerate(grid.tolist())}
    views, poses = [], {}
    for name, (x, y) in SHIFTS.items():
        left, top = round(120 + _SCALE * x), round(90 + _SCALE * y)
        photo = wall[top : top + SIZE[1], left : left + SIZE[0]]
        path = root / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), photo.astype(np.uint8))
        poses[name] = np.eye(3), np.array([-x, -y, 0.0])
        pixels = _SCALE * (grid - [x, y]) + [80, 60]
        inside = ((pixels > 0) & (pixels < SIZE)).all(1)
        ids = np.flatnonzero(inside) + 1
        if name in names:
            views.append(
                View(name, *poses[name], pixels[inside].tolist(), ids.tolist())
            )
    write_model(root / 'model', views, xyz)
    return poses
