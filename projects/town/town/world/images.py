"""Rendering one image of the world into its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..camera import street_camera
from ..conditions import CONDITIONS
from ..render.image import Rendering, render_image
from ..scene.primitives import Scene
from ..scene.street import Street, build_street
from ..scene.traffic import add_traffic
from ..settings import (
    TRAVERSALS,
    ImageKey,
    WorldSettings,
    image_name,
    observation_path,
)
from .matches import PointCloud, observe, sample_points


@lru_cache(maxsize=4)
def street_of(settings: WorldSettings, street: int) -> Street:
    """The static street, kept for the next image."""
    return build_street(settings.seed, street, settings.street_length)


@lru_cache(maxsize=4)
def cloud_of(settings: WorldSettings, street: int) -> PointCloud:
    """The points of a street, kept for the next image."""
    rng = np.random.default_rng([settings.seed, 4, street])
    scene = street_of(settings, street).scene
    return sample_points(scene, settings.point_density, rng)


def scene_of(
    settings: WorldSettings, key: ImageKey
) -> tuple[Scene, np.ndarray]:
    """Static and moving primitives of an image; ground plans of its cars.

    The first primitives are those of `street_of`, under the same numbers.
    """
    camera = street_camera(settings, key)
    drive = [settings.seed, 5, key.street, key.traversal]
    parked = np.random.default_rng(drive)
    moving = np.random.default_rng([*drive, key.place])
    street = street_of(settings, key.street)
    return add_traffic(street, camera, parked, moving)


def render_key(settings: WorldSettings, key: ImageKey) -> Rendering:
    """Render an image; nothing is written."""
    scene, plans = scene_of(settings, key)
    condition = CONDITIONS[TRAVERSALS[key.traversal].condition]
    return render_image(
        street_of(settings, key.street),
        scene,
        plans,
        street_camera(settings, key),
        condition,
        key.traversal,
        np.random.default_rng([settings.seed, 6, *key]),
    )


def observe_key(
    settings: WorldSettings, key: ImageKey, rendering: Rendering
) -> tuple[np.ndarray, np.ndarray]:
    """Points of `cloud_of` that an image sees: indices, pixels."""
    return observe(
        cloud_of(settings, key.street),
        street_camera(settings, key),
        rendering.depth,
        rendering.object_id,
        street_of(settings, key.street).scene,
    )


def make_image(settings: WorldSettings, root: Path, key: ImageKey) -> bool:
    """Render an image and write what belongs to it.

    Writes images/<name>.jpg, labels/<name>_labelTrainIds.png,
    observations/<name>.npz and, if wanted, depth/<name>.npz.

    Args:
        settings: Of the world.
        root: Folder of the world.
        key: Which image.

    Returns:
        Whether it was rendered now; False if it was there already.
    """
    name = image_name(key)
    picture_path = root / 'images' / f'{name}.jpg'
    label_path = root / 'labels' / f'{name}_labelTrainIds.png'
    depth_path = root / 'depth' / f'{name}.npz'
    observed_path = observation_path(root, key)
    wanted = [picture_path, label_path, observed_path]
    if settings.save_depth:
        wanted.append(depth_path)
    if all(path.exists() for path in wanted):
        return False
    rendering = render_key(settings, key)
    index, pixels = observe_key(settings, key, rendering)
    condition = CONDITIONS[TRAVERSALS[key.traversal].condition]
    quality = [cv2.IMWRITE_JPEG_QUALITY, condition.jpeg_quality]
    _save_image(picture_path, rendering.image, quality)
    _save_image(label_path, rendering.labels, [])
    if settings.save_depth:
        _save_arrays(depth_path, depth=rendering.depth)
    _save_arrays(observed_path, index=index, pixels=pixels)
    return True


def _save_image(path: Path, image: np.ndarray, options: list) -> None:
    good, data = cv2.imencode(path.suffix, image, options)
    assert good
    _write_atomically(path, lambda file: file.write(data.tobytes()))


def _save_arrays(path: Path, **arrays: Any) -> None:
    _write_atomically(path, lambda file: np.savez_compressed(file, **arrays))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file; it has its name only when it is complete."""
    data = ''.join(f'{line}\n' for line in lines).encode()
    _write_atomically(path, lambda file: file.write(data))


def _write_atomically(path: Path, write: Callable) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'{path.name}.{os.getpid()}.partial')
    try:
        with open(partial, 'wb') as file:
            write(file)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
