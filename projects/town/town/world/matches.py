"""Points on static surfaces, which images see them, and matches of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgsn_mmseg.datasets import write_pair_file

from ..camera import Camera
from ..scene.cutouts import solid
from ..scene.primitives import (
    GROUND,
    MATERIAL_CLASS,
    POINTS_PER_M2,
    Cutout,
    Scene,
    Shape,
)
from ..settings import (
    ImageKey,
    WorldSettings,
    image_name,
    observation_path,
    pair_name,
)

# A point is found again up to a distance of its own, as a corner of a given
# size is: 6 m plus an exponential with this mean, never beyond _MAX_REACH.
_MEAN_REACH = 11.0
_MIN_REACH = 6.0
_MAX_REACH = 60.0
# Smallest sine between ray and surface; the road is always seen flat.
_MIN_SLANT = 0.12
_MIN_SLANT_GROUND = 0.06
# Largest relative difference between a point's inverse depth and that of the
# surface which the image shows there.
_DEPTH_TOLERANCE = 2e-3
_BORDER = 1.0
# Beside the street nothing farther away is sampled, metres.
_FAR_SIDE = 30.0


@dataclass
class PointCloud:
    """Points of one street.

    Attributes:
        xyz: (N, 3) float64 in the street's coordinates, metres.
        normal: (N, 3) float64 unit normals.
        object_id: (N,) primitive that carries the point.
        reach: (N,) largest distance from which it is found, metres.
        label: (N,) uint8 Cityscapes train id.
    """

    xyz: np.ndarray
    normal: np.ndarray
    object_id: np.ndarray
    reach: np.ndarray
    label: np.ndarray


def sample_points(
    scene: Scene, density: float, rng: np.random.Generator
) -> PointCloud:
    """Scatter points over the static surfaces of a street.

    Args:
        scene: Static primitives; materials without a density get none.
        density: Factor on the densities of the materials.
        rng: Decides where.

    Returns:
        The cloud.
    """
    parts = []
    for index in range(len(scene)):
        wanted = POINTS_PER_M2[scene.material[index]] * density
        if wanted and scene.shape[index] != Shape.ELLIPSOID:
            parts.append(_sample_one(scene, index, wanted, rng))
    xyz, normal, object_id = (np.concatenate(p) for p in zip(*parts))
    reach = _MIN_REACH + rng.exponential(_MEAN_REACH, len(xyz))
    return PointCloud(
        xyz,
        normal,
        object_id,
        np.minimum(reach, _MAX_REACH),
        MATERIAL_CLASS[scene.material[object_id]],
    )


def _sample_one(
    scene: Scene, index: int, density: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first, second = scene.edge_a[index], scene.edge_b[index]
    corner = scene.corner[index]
    around = scene.shape[index] == Shape.CYLINDER
    area = scene.length_a[index] * scene.length_b[index]
    area *= 2 * np.pi if around else 1
    # The ground runs far out of sight: no more than the street's length.
    count = min(rng.poisson(density * area), round(6000 * density))
    a, b = rng.random((2, count))
    if around:
        angle = 2 * np.pi * a
        normal = np.stack([np.cos(angle), np.sin(angle), 0 * a], 1)
        xyz = corner + first[0] * normal + b[:, None] * second
    else:
        xyz = corner + a[:, None] * first + b[:, None] * second
        normal = np.broadcast_to(scene.normal[index], xyz.shape)
        cut = Cutout(scene.cutout[index])
        if cut != Cutout.FULL:
            there = solid(cut, a, b, scene.params[index], 1.0)
            xyz, normal = xyz[there], normal[there]
    near = np.abs(xyz[:, 1]) < _FAR_SIDE
    return xyz[near], normal[near], np.full(near.sum(), index)


def observe(
    cloud: PointCloud,
    camera: Camera,
    depth: np.ndarray,
    object_id: np.ndarray,
    scene: Scene,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the points that an image sees.

    A point counts as seen if the four pixels around it show the primitive
    that carries it, at its distance: no other thing, static or moving, is
    in front of it, nor does its outline pass there.

    Args:
        cloud: Points in the coordinates of `camera`.
        camera: Of the image.
        depth: (H, W) metres.
        object_id: (H, W) primitives.
        scene: The primitives that carry points.

    Returns:
        (M,) indices of the seen points, rising, and (M, 2) float64 pixels.
    """
    pixels, point_depth = camera.project(cloud.xyz)
    ray = cloud.xyz - camera.centre
    distance = np.linalg.norm(ray, axis=1)
    facing = -(ray * cloud.normal).sum(1) / np.maximum(distance, 1e-9)
    flat = np.isin(scene.material[cloud.object_id], GROUND)
    limit = np.where(flat, _MIN_SLANT_GROUND, _MIN_SLANT)
    size = np.array([camera.width, camera.height])
    good = (point_depth > 0.5) & (distance < cloud.reach)
    good &= (pixels >= _BORDER).all(1) & (pixels < size - 1 - _BORDER).all(1)
    both_sides = ~scene.one_sided[cloud.object_id]
    good &= np.where(both_sides, np.abs(facing), facing) > limit
    seen = np.flatnonzero(good)
    x, y = pixels[seen].T
    col, row = np.floor(x).astype(int), np.floor(y).astype(int)
    inverse = np.zeros(len(seen))
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dx - (x - col)) * np.abs(1 - dy - (y - row))
            inverse += weight / depth[row + dy, col + dx]
            same = object_id[row + dy, col + dx] == cloud.object_id[seen]
            inverse[~same] = np.nan
    error = np.abs(inverse * point_depth[seen] - 1)
    seen = seen[error < _DEPTH_TOLERANCE]
    return seen, pixels[seen]


def make_pair(settings: WorldSettings, root: Path, key: ImageKey) -> int:
    """Write the correspondences of an image with its reference image.

    Args:
        settings: Of the world.
        root: Folder of the world; the observations of both are there.
        key: The target image; its traversal is not the reference.

    Returns:
        Number of correspondences.
    """
    pair = match(settings, root, key)
    path = root / 'correspondence_data' / pair_name(key)
    write_pair_file(path, pair)
    return len(pair['points'])


def match(
    settings: WorldSettings, root: Path, key: ImageKey
) -> dict[str, Any]:
    """Correspondences of an image with its reference image.

    Args:
        settings: Of the world.
        root: Folder of the world.
        key: The target image.

    Returns:
        The record that `write_pair_file` takes. `dist_from_center` is the
        mean of both points' distances from the centres of their images, in
        diagonals: 0 in the centre, 0.5 in a corner.
    """
    reference = key._replace(traversal=0)
    index, points = _observation(root, reference)
    index2, points2 = _observation(root, key)
    _, at, at2 = np.intersect1d(
        index, index2, assume_unique=True, return_indices=True
    )
    rng = np.random.default_rng([settings.seed, 7, *key])
    if len(at) > settings.max_points:
        chosen = rng.permutation(len(at))[: settings.max_points]
        at, at2 = at[np.sort(chosen)], at2[np.sort(chosen)]
    points, points2 = points[at], points2[at2]
    last = np.array([settings.width, settings.height]) - 1
    if settings.wrong_share:
        wrong = rng.random(len(points2)) < settings.wrong_share
        anywhere = rng.random(points2.shape) * last
        points2 = np.where(wrong[:, None], anywhere, points2)
    ends = [points, points2]
    if settings.noise_px:
        # No point leaves the image.
        ends = [
            np.clip(end + rng.normal(0, settings.noise_px, end.shape), 0, last)
            for end in ends
        ]
    off_centre = [
        np.hypot(*(end - last / 2).T) / np.hypot(*(last + 1)) for end in ends
    ]
    return dict(
        img_path=f'{image_name(reference)}.jpg',
        img_path2=f'{image_name(key)}.jpg',
        points=ends[0],
        points2=ends[1],
        dist_from_center=(off_centre[0] + off_centre[1]) / 2,
    )


def _observation(root: Path, key: ImageKey) -> tuple[np.ndarray, np.ndarray]:
    with np.load(observation_path(root, key)) as data:
        return data['index'], data['pixels']
