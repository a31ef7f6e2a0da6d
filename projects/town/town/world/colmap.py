"""The world as a map: COLMAP text model, point labels, poses, queries."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..camera import Camera, quaternion, street_offset, world_camera
from ..settings import ImageKey, WorldSettings, image_name, observation_path
from .images import cloud_of, write_lines

# Ids of points: street * this + index in the street + 1.
STREET_IDS = 10_000_000
_MIN_TRACK = 2
_NEIGHBOURS = 5


def write_map(settings: WorldSettings, root: Path) -> None:
    """Write colmap/, point_labels.txt, poses and queries.

    The map is made of the reference traversal: a point that at least two
    of its images see is in the map. All other images are queries.

    Args:
        settings: Of the world.
        root: Folder of the world; all observations are there.
    """
    keys = settings.image_keys()
    references = [key for key in keys if key.traversal == 0]
    camera = world_camera(settings, keys[0])
    write_lines(root / 'colmap' / 'cameras.txt', [f'1 {_intrinsics(camera)}'])
    images: list[str] = []
    points: list[str] = []
    labels: list[str] = []
    number = {key: i + 1 for i, key in enumerate(references)}
    for street in range(settings.streets):
        here = [key for key in references if key.street == street]
        blocks, rows, marks = _map_street(settings, root, street, here, number)
        images += blocks
        points += rows
        labels += marks
    write_lines(root / 'colmap' / 'images.txt', images)
    write_lines(root / 'colmap' / 'points3D.txt', points)
    write_lines(root / 'point_labels.txt', labels)
    poses = [
        f'{image_name(key)}.jpg {_pose(world_camera(settings, key))}'
        for key in keys
    ]
    write_lines(root / 'poses.txt', poses)
    queries = [key for key in keys if key.traversal]
    intrinsics = _intrinsics(camera)
    lines = [f'{image_name(key)}.jpg {intrinsics}' for key in queries]
    write_lines(root / 'queries_with_intrinsics.txt', lines)
    write_lines(root / 'query_pairs.txt', _retrieval(settings, queries))


def _map_street(
    settings: WorldSettings,
    root: Path,
    street: int,
    keys: list[ImageKey],
    number: dict[ImageKey, int],
) -> tuple[list[str], list[str], list[str]]:
    """Lines of images.txt, points3D.txt and point_labels.txt."""
    cloud = cloud_of(settings, street)
    seen = {}
    for key in keys:
        with np.load(observation_path(root, key)) as data:
            seen[key] = data['index'], data['pixels']
    every = np.concatenate([index for index, _ in seen.values()])
    length = np.bincount(every, minlength=len(cloud.xyz))
    kept = length >= _MIN_TRACK
    tracks: dict[int, list[str]] = {int(i): [] for i in np.flatnonzero(kept)}
    colours: dict[int, np.ndarray] = {}
    images = []
    for key in keys:
        index, pixels = seen[key]
        name = f'{image_name(key)}.jpg'
        picture = np.asarray(cv2.imread(str(root / 'images' / name)))
        entries = []
        for row, (i, (x, y)) in enumerate(zip(index, pixels)):
            point_id = street * STREET_IDS + i + 1 if kept[i] else -1
            entries.append(f'{x + 0.5:.6f} {y + 0.5:.6f} {point_id}')
            if kept[i]:
                tracks[i].append(f'{number[key]} {row}')
                colours[i] = picture[round(y), round(x), ::-1]
        pose = _pose(world_camera(settings, key))
        images += [f'{number[key]} {pose} 1 {name}', ' '.join(entries)]
    points, labels = [], []
    xyz = cloud.xyz + street_offset(street)
    for i, track in tracks.items():
        point_id = street * STREET_IDS + i + 1
        position = ' '.join(f'{v:.6f}' for v in xyz[i])
        colour = ' '.join(str(v) for v in colours[i])
        points.append(f'{point_id} {position} {colour} 0 {" ".join(track)}')
        labels.append(f'{point_id} {cloud.label[i]}')
    return images, points, labels


def _intrinsics(camera: Camera) -> str:
    cx, cy = camera.principal_point + 0.5
    f = camera.focal
    return f'PINHOLE {camera.width} {camera.height} {f:g} {f:g} {cx:g} {cy:g}'


def _pose(camera: Camera) -> str:
    """Turn a camera into qw qx qy qz tx ty tz, world to camera."""
    values = [*quaternion(camera.rotation), *camera.translation]
    return ' '.join(f'{v:.9f}' for v in values)


def _retrieval(settings: WorldSettings, queries: list[ImageKey]) -> list[str]:
    """For each query the places around its own, its own first."""
    lines = []
    for key in queries:
        order = sorted(
            range(settings.places), key=lambda p: (abs(p - key.place), p)
        )
        for place in order[:_NEIGHBOURS]:
            reference = ImageKey(key.street, place, 0)
            lines.append(f'{image_name(key)}.jpg {image_name(reference)}.jpg')
    return lines
