"""A street of labelled points, and label maps of what a camera sees."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from fgsn_mmseg.localization.map_points import MapPoints

CAMERA = dict(
    model='PINHOLE',
    width=160,
    height=120,
    params=[100.0, 100.0, 80.0, 60.0],
)
HEIGHT = 1.6
UP_IN_CAMERA = (0.0, -1.0, 0.0)


def street(count=800, num_labels=40, length=40.0, seed=0) -> MapPoints:
    """Two rows of houses along x, 5 m left and right; z is up.

    Labels are those of cells of 2 m. Every point can be seen from the
    street up to 25 m away.
    """
    rng = np.random.default_rng(seed)
    side = rng.choice([-5.0, 5.0], count)
    xyz = np.column_stack(
        [
            rng.uniform(0, length, count),
            side + rng.normal(0, 0.3, count),
            rng.uniform(0, 6, count),
        ]
    )
    cells = np.floor(xyz / 2).astype(int)
    labels = (cells @ [7, 13, 29]) % num_labels
    towards = np.column_stack(
        [np.zeros(count), -np.sign(side), np.zeros(count)]
    )
    return MapPoints(
        xyz,
        labels,
        np.full(count, 1.0),
        np.full(count, 25.0),
        towards,
        np.full(count, np.cos(np.radians(85))),
    )


def upright_pose(x, y, yaw_degrees, height=HEIGHT):
    """Camera at (x, y, height); yaw 0 looks along x."""
    ahead = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]], float)
    yaw = Rotation.from_euler('z', -yaw_degrees, True).as_matrix()
    rotation = ahead @ yaw
    return rotation, -rotation @ np.array([x, y, height])


def pixels_of(xyz, rotation, translation):
    """Project by hand: (N, 2) and depth (N,)."""
    p = xyz @ rotation.T + translation
    depth = np.where(p[:, 2] > 0.1, p[:, 2], np.nan)
    return p[:, :2] / depth[:, None] * 100 + [80, 60], depth


def label_map(points: MapPoints, rotation, translation):
    """Every pixel has the label of the nearest point that is seen."""
    centre = -rotation.T @ translation
    pixels, depth = pixels_of(points.xyz, rotation, translation)
    seen = points.visible_from(centre) & np.isfinite(depth)
    grid = np.stack(np.meshgrid(np.arange(160), np.arange(120)), -1) + 0.5
    _, near = cKDTree(pixels[seen]).query(grid.reshape(-1, 2))
    return points.labels[seen][near].reshape(120, 160)
