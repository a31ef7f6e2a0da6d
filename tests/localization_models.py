"""A small COLMAP model in text form, written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

PINHOLE = 'PINHOLE 160 120 150 150 80 60'


@dataclass
class View:
    """One image: its pose and its keypoints (COLMAP's pixels)."""

    name: str
    rotation: np.ndarray
    translation: np.ndarray
    points2d: list
    point_ids: list
    camera: str = PINHOLE


def write_model(root: Path, views: list[View], xyz: dict[int, tuple]) -> Path:
    """Write cameras.txt, images.txt and points3D.txt."""
    root.mkdir(parents=True, exist_ok=True)
    cameras, images, points = [], [], []
    tracks: dict[int, list[str]] = {i: [] for i in xyz}
    for number, view in enumerate(views, 1):
        cameras.append(f'{number} {view.camera}')
        x, y, z, w = Rotation.from_matrix(view.rotation).as_quat()
        pose = ' '.join(map(repr, map(float, [w, x, y, z])))
        shift = ' '.join(map(repr, map(float, view.translation)))
        images.append(f'{number} {pose} {shift} {number} {view.name}')
        images.append(
            ' '.join(
                f'{float(px)!r} {float(py)!r} {i}'
                for (px, py), i in zip(view.points2d, view.point_ids)
            )
        )
        for row, i in enumerate(view.point_ids):
            if i >= 0:
                tracks[i].append(f'{number} {row}')
    for i, position in xyz.items():
        where = ' '.join(repr(float(v)) for v in position)
        points.append(f'{i} {where} 10 20 30 0.5 {" ".join(tracks[i])}')
    for name, lines in (
        ('cameras', cameras),
        ('images', images),
        ('points3D', points),
    ):
        (root / f'{name}.txt').write_text('\n'.join(lines) + '\n')
    return root


def facing_views(count: int = 4, num_points: int = 60, seed: int = 0):
    """Views side by side, 1 m apart, of points 5 to 9 m before them.

    Returns the views and the points by id (1, 3, 5, ...: ids have gaps).
    Every view sees the points that fall into its image.
    """
    rng = np.random.default_rng(seed)
    positions = rng.uniform(
        [-2, -1.5, 5], [count + 1, 1.5, 9], (num_points, 3)
    )
    xyz = {2 * i + 1: tuple(p) for i, p in enumerate(positions)}
    views = []
    for i in range(count):
        turn = Rotation.from_euler('y', 2.0 * i, True).as_matrix()
        centre = np.array([float(i), 0.0, 0.0])
        in_camera = (positions - centre) @ turn.T
        pixels = in_camera[:, :2] / in_camera[:, 2:] * 150 + [80, 60]
        seen = ((pixels >= 0) & (pixels < [160, 120])).all(1)
        order = rng.permutation(np.flatnonzero(seen))
        # One keypoint without a point comes first.
        views.append(
            View(
                f'cam/{i:03d}.jpg',
                turn,
                -turn @ centre,
                [(1.5, 2.5), *pixels[order]],
                [-1, *(2 * order + 1)],
            )
        )
    return views, xyz
