"""What a person looks at: matches and projected points in a query."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from fgsn_mmseg.datasets import cluster_palette, read_image, write_image
from fgsn_mmseg.geometry import from_colmap

from .cameras import inside_image, project
from .estimate import PoseEstimate

# BGR: right, kept but wrong, dropped but right, dropped.
_COLOURS = ((60, 200, 60), (0, 220, 255), (255, 160, 0), (60, 60, 230))


def draw_matches(
    photo: np.ndarray, points2d: np.ndarray, estimate: PoseEstimate
) -> np.ndarray:
    """Draw a query's matches.

    Green: kept by the labels and fitting the pose. Yellow: kept, not
    fitting. Blue: dropped, but fitting. Red: dropped.

    Args:
        photo: (H, W, 3) uint8 BGR.
        points2d: (N, 2) pixels, 0.5 = centre of the first pixel.
        estimate: For these matches.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    drawn = photo.copy()
    kinds = 2 * (~estimate.kept).astype(int) + ~estimate.inliers
    radius = max(2, photo.shape[1] // 250)
    # Fitting matches last, over the others.
    for row in np.argsort(-kinds, kind='stable'):
        x, y = np.floor(from_colmap(points2d[row]) + 0.5).astype(int).tolist()
        colour = _COLOURS[kinds[row]]
        cv2.circle(drawn, (x, y), radius + 1, (0, 0, 0), -1, cv2.LINE_AA)
        cv2.circle(drawn, (x, y), radius, colour, -1, cv2.LINE_AA)
    return drawn


def draw_points(
    photo: np.ndarray,
    xyz: np.ndarray,
    labels: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    camera: Mapping[str, Any],
) -> np.ndarray:
    """Draw the labelled points of a map where a pose puts them.

    Args:
        photo: (H, W, 3) uint8 BGR.
        xyz: (P, 3) points.
        labels: (P,) their labels; -1 is not drawn.
        rotation: (3, 3), world to camera.
        translation: (3,), world to camera.
        camera: See :func:`~.cameras.check_camera`.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    drawn = photo.copy()
    known = labels >= 0
    palette = cluster_palette(int(labels.max(initial=0)) + 1)
    pixels = project(xyz[known], rotation, translation, camera)
    inside = inside_image(pixels, camera)
    radius = max(1, photo.shape[1] // 400)
    spots = np.floor(from_colmap(pixels[inside]) + 0.5).astype(int).tolist()
    for spot, label in zip(spots, labels[known][inside].tolist()):
        colour = palette[label, ::-1].tolist()
        cv2.circle(drawn, tuple(spot), radius, colour, -1, cv2.LINE_AA)
    return drawn


def write_query_picture(
    image: str | os.PathLike, target: str | os.PathLike, *layers: Any
) -> None:
    """Draw over a photo, and write it.

    Args:
        image: Path of the photo, read as stored.
        target: JPEG to write; its folder is made.
        *layers: Functions that take a picture and return it drawn over; the
            results stand beside each other.

    Raises:
        ValueError: The photo cannot be read.
    """
    photo = read_image(os.fspath(image))
    write_image(os.fspath(target), np.hstack([f(photo) for f in layers]))
