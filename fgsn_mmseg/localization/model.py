"""A COLMAP model as plain arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._extra import require


@dataclass(frozen=True)
class MapImage:
    """One image of a model.

    Attributes:
        name: Path relative to the model's image folder, forward slashes.
        camera: ``model, width, height, params`` as COLMAP has them.
        rotation: (3, 3), world to camera.
        translation: (3,), world to camera.
        points2d: (N, 2) float64 keypoints, 0.5 = centre of the first pixel.
        point_rows: (N,) int64 row of each keypoint's 3D point in the model,
            -1 where it has none.
    """

    name: str
    camera: dict[str, Any]
    rotation: np.ndarray
    translation: np.ndarray
    points2d: np.ndarray
    point_rows: np.ndarray


@dataclass(frozen=True)
class MapModel:
    """A COLMAP model.

    Attributes:
        images: By name, sorted; only those with a pose.
        point_ids: (P,) int64 COLMAP's ids, sorted.
        xyz: (P, 3) float64.
    """

    images: dict[str, MapImage]
    point_ids: np.ndarray
    xyz: np.ndarray

    def observations(self, image: MapImage) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints with a 3D point, each point once.

        An image may hold several keypoints of one point; the last counts.

        Args:
            image: Of this model.

        Returns:
            Rows of the points in the model, (n,) int64 sorted, and their
            keypoints (n, 2).
        """
        seen = np.flatnonzero(image.point_rows >= 0)[::-1]
        rows, last = np.unique(image.point_rows[seen], return_index=True)
        return rows, image.points2d[seen[last]]

    def part(self, names: Iterable[str]) -> MapModel:
        """The same points with these images only; others are passed over."""
        images = {n: self.images[n] for n in names if n in self.images}
        return replace(self, images=images)

    def common_camera(self) -> dict[str, Any] | None:
        """Intrinsics that all images share, None where they differ."""
        cameras = [image.camera for image in self.images.values()]
        same = all(camera == cameras[0] for camera in cameras)
        return cameras[0] if same else None


def read_model(path: str | os.PathLike) -> MapModel:
    """Read a COLMAP model, binary or text.

    Args:
        path: Folder with cameras, images and points3D (.bin or .txt).

    Returns:
        The model.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: The model is broken, or without images or points.
        ImportError: The extra ``[localization]`` is not installed.
    """
    path = os.fspath(path)
    pycolmap = require('pycolmap')
    if not os.path.isdir(path):
        raise FileNotFoundError(
            f'`path` should be the folder of a COLMAP model, but got {path!r}.'
        )
    try:
        loaded = pycolmap.Reconstruction(path)
        model = from_reconstruction(loaded)
    except (ValueError, IndexError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise ValueError(
            f'`path` should be a readable COLMAP model, but got {path!r} '
            f'({reason}). Export it again.'
        ) from error
    if not model.images or not len(model.xyz):
        raise ValueError(
            f'`path` should be a COLMAP model with images and points, but got '
            f'{len(model.images)} images with a pose and {len(model.xyz)} '
            f'points in {path!r}.'
        )
    bad = ~np.isfinite(model.xyz).all(axis=1)
    broken = [image.name for image in model.images.values() if _broken(image)]
    if bad.any() or broken:
        raise ValueError(
            f'`path` should be a COLMAP model of finite numbers, but got NaN '
            f'or infinity in {bad.sum()} of {len(bad)} points and '
            f'{len(broken)} of {len(model.images)} images in {path!r}.'
        )
    return model


def _broken(image: MapImage) -> bool:
    numbers = (image.rotation, image.translation, image.points2d)
    parts = (*numbers, image.camera['params'])
    return not all(np.isfinite(part).all() for part in parts)


def from_reconstruction(loaded: Any) -> MapModel:
    """Turn a ``pycolmap.Reconstruction`` into arrays."""
    point_ids = np.array(sorted(loaded.points3D), dtype=np.int64)
    points = [loaded.points3D[i] for i in point_ids.tolist()]
    images = {}
    found = [loaded.images[i] for i in loaded.reg_image_ids()]
    for image in sorted(found, key=lambda one: one.name):
        name = image.name.replace('\\', '/')
        pose = image.cam_from_world()
        camera = image.camera
        ids = [point.point3D_id for point in image.points2D]
        images[name] = MapImage(
            name=name,
            camera=dict(
                model=camera.model_name,
                width=int(camera.width),
                height=int(camera.height),
                params=[float(value) for value in camera.params],
            ),
            rotation=np.array(pose.rotation.matrix()),
            translation=np.array(pose.translation),
            points2d=np.array(
                [point.xy for point in image.points2D], dtype=np.float64
            ).reshape(-1, 2),
            point_rows=_rows(np.array(ids, dtype=np.uint64), point_ids),
        )
    return MapModel(
        images=images,
        point_ids=point_ids,
        xyz=np.array([p.xyz for p in points], np.float64).reshape(-1, 3),
    )


def _rows(ids: np.ndarray, point_ids: np.ndarray) -> np.ndarray:
    """Rows of ids in the sorted ids of the model, -1 for "no point"."""
    # COLMAP's "no point" is the largest unsigned number: -1 when signed.
    wanted = ids.astype(np.int64)
    rows = np.searchsorted(point_ids, wanted)
    rows[wanted < 0] = -1
    return rows
