"""A second, slow way to find what a ray meets: all primitives, float64."""

from __future__ import annotations

import numpy as np

from town.scene.cutouts import solid
from town.scene.primitives import Cutout, Shape


def cast(scene, visible, origin, direction, leaves=1.0):
    """Distance in units of `direction` and number of the first hit."""
    best, which = np.inf, -1
    for index in np.flatnonzero(visible):
        corner = scene.corner[index]
        first, second = scene.edge_a[index], scene.edge_b[index]
        shape = scene.shape[index]
        if shape == Shape.QUAD:
            hit = _quad(scene, index, origin, direction)
        elif shape == Shape.CYLINDER:
            hit = _cylinder(corner, first[0], second[2], origin, direction)
        else:
            hit = _ellipsoid(corner, first, origin, direction)
        if hit is None or not 0.15 < hit[0] < best:
            continue
        cut = Cutout(scene.cutout[index])
        if cut != Cutout.FULL:
            a, b = np.array([hit[1]]), np.array([hit[2]])
            if not solid(cut, a, b, scene.params[index], leaves)[0]:
                continue
        best, which = hit[0], index
    return best, which


def _quad(scene, index, origin, direction):
    first, second = scene.edge_a[index], scene.edge_b[index]
    if scene.one_sided[index] and direction @ np.cross(first, second) >= 0:
        return None
    # origin + t * direction = corner + a * first + b * second
    system = np.column_stack([direction, -first, -second])
    if abs(np.linalg.det(system)) < 1e-12:
        return None
    t, a, b = np.linalg.solve(system, scene.corner[index] - origin)
    return (t, a, b) if 0 <= a <= 1 and 0 <= b <= 1 else None


def _cylinder(foot, radius, height, origin, direction):
    gap = (origin - foot)[:2]
    roots = np.roots(
        [
            direction[:2] @ direction[:2],
            2 * gap @ direction[:2],
            gap @ gap - radius**2,
        ]
    )
    if np.iscomplex(roots).any():
        return None
    t = roots.real.min()
    share = (origin[2] + t * direction[2] - foot[2]) / height
    return (t, 0.0, share) if 0 <= share <= 1 else None


def _ellipsoid(centre, radii, origin, direction):
    gap, d = (origin - centre) / radii, direction / radii
    roots = np.roots([d @ d, 2 * gap @ d, gap @ gap - 1])
    if np.iscomplex(roots).any():
        return None
    t = roots.real.min()
    at = origin + t * direction - centre
    if abs(at[2]) > 0.7 * radii[2]:
        return t, at[0], at[1]
    angle = np.arctan2(at[1], at[0])
    return t, radii[:2].mean() * angle, at[2]
