"""hloc's text files: queries, retrieval, and poses of the benchmarks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from fgsn_mmseg.datasets.name_list import write_names

from .cameras import SOLVER_MODELS, check_camera
from .gsmc import Upright
from .poses import from_quaternion, to_quaternion


def read_queries(
    path: str | os.PathLike, camera_of_map: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Read a list of queries with intrinsics.

    Args:
        path: Lines ``name MODEL width height params...``; empty lines and
            lines that start with # are skipped.
        camera_of_map: For lines that hold a name only. Defaults to None:
            every query needs its own.

    Returns:
        Camera by the query's name, in the order of the file.

    Raises:
        ValueError: A line is not as described, or there is none.
    """
    queries: dict[str, dict[str, Any]] = {}
    for number, fields in _fields(path):
        if len(fields) == 1 and camera_of_map is not None:
            queries[fields[0]] = camera_of_map
            continue
        try:
            name, model, width, height, *params = fields
            camera = dict(
                model=model,
                width=int(width),
                height=int(height),
                params=[float(value) for value in params],
            )
        except ValueError as error:
            raise ValueError(
                f'`queries` should have lines "name MODEL width height '
                f'params...", but got {" ".join(fields)!r} in line {number} '
                f'of {os.fspath(path)}. A name alone takes the camera of the '
                'map, if all its images share one.'
            ) from error
        if model in SOLVER_MODELS:
            check_camera(camera)
        queries[name] = camera
    if not queries:
        raise ValueError(
            f'`queries` should have a query, but got none in '
            f'{os.fspath(path)}.'
        )
    return queries


def read_retrieval(path: str | os.PathLike) -> dict[str, list[str]]:
    """Read lines ``query database``: database images by query."""
    found: dict[str, list[str]] = {}
    for number, fields in _fields(path):
        if len(fields) != 2:
            raise ValueError(
                f'`retrieval` should have lines "query database", but got '
                f'{" ".join(fields)!r} in line {number} of '
                f'{os.fspath(path)}.'
            )
        found.setdefault(fields[0], []).append(fields[1])
    return found


def read_uprights(path: str | os.PathLike) -> dict[str, Upright]:
    """Read what is known of queries' cameras, for GSMC.

    Args:
        path: Lines ``name ux uy uz height``: the direction of the sky in the
            camera's axes (x right, y down, z ahead) and the camera's height
            along the map's z axis.

    Returns:
        By query.

    Raises:
        ValueError: A line is not as described.
    """
    found = {}
    for number, fields in _fields(path):
        try:
            name, *values = fields
            ux, uy, uz, height = map(float, values)
        except ValueError as error:
            raise ValueError(
                f'`uprights` should have lines "name ux uy uz height", but '
                f'got {" ".join(fields)!r} in line {number} of '
                f'{os.fspath(path)}.'
            ) from error
        found[name] = Upright((ux, uy, uz), height)
    return found


Poses = dict[str, tuple[np.ndarray, np.ndarray]]


def write_poses(path: str | os.PathLike, poses: Poses) -> None:
    """Write poses in the format of the benchmarks.

    Args:
        path: File of lines ``name qw qx qy qz tx ty tz``; it appears whole
            or not at all.
        poses: Rotation (3, 3) and translation (3,) by name, world to camera.

    Raises:
        ValueError: A pose is not finite or a name holds a space.
    """
    lines = []
    for name, (rotation, translation) in poses.items():
        values = np.array([*np.ravel(rotation), *translation])
        if not np.isfinite(values).all() or len(name.split()) != 1:
            raise ValueError(
                f'`poses` should be finite, of names without spaces, but got '
                f'{values.tolist()} for {name!r}. Leave it out.'
            )
        numbers = [*to_quaternion(rotation), *translation]
        lines.append(' '.join([name, *(f'{v:.12g}' for v in numbers)]))
    write_names(os.fspath(path), lines)


def read_poses(path: str | os.PathLike) -> Poses:
    """Read what :func:`write_poses` writes.

    Raises:
        ValueError: A line is not as described.
    """
    poses: Poses = {}
    for number, fields in _fields(path):
        try:
            name, *values = fields
            qw, qx, qy, qz, tx, ty, tz = map(float, values)
            rotation = from_quaternion([qw, qx, qy, qz])
            pose = rotation, np.array([tx, ty, tz])
            if not all(np.isfinite(part).all() for part in pose):
                raise ValueError('not finite')
        except ValueError as error:
            raise ValueError(
                f'`poses` should have lines "name qw qx qy qz tx ty tz" of '
                f'finite numbers, but got {" ".join(fields)!r} in line '
                f'{number} of {os.fspath(path)}.'
            ) from error
        poses[name] = pose
    return poses


def _fields(path: str | os.PathLike) -> Iterator[tuple[int, list[str]]]:
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            fields = line.split()
            if fields and not fields[0].startswith('#'):
                yield number, fields
