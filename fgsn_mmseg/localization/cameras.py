"""Cameras as COLMAP describes them: ``model, width, height, params``.

Pixels here are COLMAP's: 0.5 is the centre of the first pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._extra import require

# Models that PoseLib 2.0 takes, and their numbers of parameters. With any
# other it returns the identity as pose, without a word.
SOLVER_MODELS = {
    'SIMPLE_PINHOLE': 3,
    'PINHOLE': 4,
    'SIMPLE_RADIAL': 4,
    'RADIAL': 5,
    'OPENCV': 8,
    'OPENCV_FISHEYE': 8,
    'FULL_OPENCV': 12,
}


def check_camera(camera: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plain copy of a camera that the solvers take.

    Args:
        camera: ``model`` (str), ``width``, ``height`` (pixels) and
            ``params`` (floats, in COLMAP's order).

    Returns:
        The same with plain Python values.

    Raises:
        KeyError: A key is missing.
        ValueError: The model is not one of :data:`SOLVER_MODELS`, or its
            parameters are not as many finite numbers as it has.
    """
    missing = {'model', 'width', 'height', 'params'} - set(camera)
    if missing:
        raise KeyError(
            f'`camera` should have model, width, height and params, but got '
            f'{sorted(camera)}. Add {", ".join(sorted(missing))}.'
        )
    # pycolmap's own dicts hold an enum.
    model = str(getattr(camera['model'], 'name', camera['model']))
    if model not in SOLVER_MODELS:
        raise ValueError(
            f'`camera` should be of one of the models '
            f'{", ".join(SOLVER_MODELS)}, but got {model!r}. Undistort the '
            'image first.'
        )
    params = [float(value) for value in camera['params']]
    if len(params) != SOLVER_MODELS[model] or not np.isfinite(params).all():
        raise ValueError(
            f'`params` of a {model} camera should be {SOLVER_MODELS[model]} '
            f'finite numbers, but got {params}. See COLMAP for their order.'
        )
    return dict(
        model=model,
        width=int(camera['width']),
        height=int(camera['height']),
        params=params,
    )


def project(
    points3d: ArrayLike,
    rotation: np.ndarray,
    translation: np.ndarray,
    camera: Mapping[str, Any],
) -> np.ndarray:
    """Project points of the world into an image.

    Args:
        points3d: (N, 3) in the world.
        rotation: (3, 3), world to camera.
        translation: (3,), world to camera.
        camera: See :func:`check_camera`.

    Returns:
        (N, 2) pixels, 0.5 = centre of the first pixel; NaN for points that
        are not in front of the camera.
    """
    in_camera = np.asarray(points3d, float) @ rotation.T + translation
    return image_points(in_camera, camera)


def image_points(
    in_camera: np.ndarray, camera: Mapping[str, Any]
) -> np.ndarray:
    """Project points given in the camera's axes.

    Args:
        in_camera: (N, 3), x right, y down, z ahead.
        camera: See :func:`check_camera`.

    Returns:
        (N, 2) pixels, as of :func:`project`.
    """
    lens = require('pycolmap').Camera(**check_camera(camera))
    return np.asarray(lens.img_from_cam(in_camera)).reshape(-1, 2)


def inside_image(pixels: np.ndarray, camera: Mapping[str, Any]) -> np.ndarray:
    """Which pixels lie in the image.

    Args:
        pixels: (N, 2), 0.5 = centre of the first pixel; NaN lies outside.
        camera: See :func:`check_camera`.

    Returns:
        (N,) bool.
    """
    size = (camera['width'], camera['height'])
    inside = (pixels >= 0) & (pixels < size)
    return inside[:, 0] & inside[:, 1]


def unit_rays(pixels: np.ndarray, camera: Mapping[str, Any]) -> np.ndarray:
    """Directions in which pixels look.

    Args:
        pixels: (N, 2), 0.5 = centre of the first pixel.
        camera: See :func:`check_camera`.

    Returns:
        (N, 3) of length 1, in the camera's axes (x right, y down, z ahead).
    """
    lens = require('pycolmap').Camera(**check_camera(camera))
    flat = np.asarray(lens.cam_from_img(pixels)).reshape(-1, 2)
    rays = np.column_stack([flat, np.ones(len(flat))])
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)
