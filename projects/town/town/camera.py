"""The pinhole camera, and where the camera car is in each traversal."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from .settings import ImageKey, WorldSettings

_FOCAL = 0.8  # of the image width: 64 degrees from left to right
_EYE_HEIGHT = 1.65
_LANE = 1.7
_STREET_DISTANCE = 200.0
# The head turns from place to place: straight on, left, right.
_HEADINGS = (0.0, 24.0, -28.0)
_ANGLE = (5.2, 9.8)
_SHIFT = 0.95


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a world with z up.

    Camera axes: x right, y down, z forward. Pixel (0, 0) is the centre of
    the first pixel; COLMAP's coordinates are these plus 0.5.

    Attributes:
        width: Image width in pixels.
        height: Image height in pixels.
        focal: Focal length in pixels (square pixels, centre of the image
            as principal point).
        rotation: (3, 3) world to camera.
        translation: (3,) world to camera, metres.
    """

    width: int
    height: int
    focal: float
    rotation: np.ndarray
    translation: np.ndarray

    @property
    def principal_point(self) -> np.ndarray:
        """(2,) x, y of the optical axis in pixels, 0 = first centre."""
        return np.array([(self.width - 1) / 2, (self.height - 1) / 2])

    @property
    def centre(self) -> np.ndarray:
        """(3,) position of the camera in the world, metres."""
        return -self.rotation.T @ self.translation

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project world points.

        Args:
            points: (N, 3) world points, metres.

        Returns:
            (N, 2) pixels x, y and (N,) depths along the optical axis. A
            point behind the camera has a depth <= 0 and a pixel without
            meaning.
        """
        local = points @ self.rotation.T + self.translation
        depth = local[:, 2]
        safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        pixels = self.focal * local[:, :2] / safe[:, None]
        return pixels + self.principal_point, depth

    def back_project(
        self, pixels: np.ndarray, depth: np.ndarray
    ) -> np.ndarray:
        """World points (N, 3) of pixels (N, 2) at depths (N,)."""
        rays = (pixels - self.principal_point) / self.focal
        local = np.column_stack([rays, np.ones(len(rays))]) * depth[:, None]
        return (local - self.translation) @ self.rotation


def look_rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """World-to-camera rotation of a camera.

    Args:
        yaw: Heading in radians, 0 = along +x, positive = to the left (+y).
        pitch: Radians, positive = up.
        roll: Radians around the optical axis.

    Returns:
        (3, 3) rotation.
    """
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    forward = np.array([cy * cp, sy * cp, sp])
    right = np.array([sy, -cy, 0.0])
    down = np.cross(forward, right)
    cr, sr = np.cos(roll), np.sin(roll)
    return np.stack([cr * right + sr * down, cr * down - sr * right, forward])


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """(4,) unit quaternion w, x, y, z with w >= 0 of a rotation (3, 3)."""
    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    q = np.array([w, x, y, z])
    return q if w >= 0 else -q


def street_camera(settings: WorldSettings, key: ImageKey) -> Camera:
    """Camera of an image in the coordinates of its street.

    Traversals other than the first differ from it by a rotation of 5 to 10
    degrees, most of it sideways, and up to a metre.

    Args:
        settings: Of the world.
        key: Which image.

    Returns:
        The same camera for the same arguments.
    """
    place = np.random.default_rng([settings.seed, 2, key.street, key.place])
    forward = 1 if key.street % 2 == 0 else -1
    way = 16.0 + settings.spacing * key.place + place.uniform(-0.8, 0.8)
    x = way if forward > 0 else settings.street_length - way
    centre = np.array([x, -_LANE * forward, _EYE_HEIGHT])
    centre += place.uniform(-1, 1, 3) * [0, 0.25, 0.05]
    heading = _HEADINGS[(key.place + key.street // 2) % 3]
    yaw = np.deg2rad(heading + place.uniform(-4, 4))
    if forward < 0:
        yaw += np.pi
    pitch, roll = np.deg2rad(place.uniform(-1, 1, 2) * [1.5, 0.7] + [1.5, 0])
    rotation = look_rotation(yaw, pitch, roll)
    if key.traversal:
        rng = np.random.default_rng([settings.seed, 3, *key])
        # Camera axes: x right, y down, z forward; y is the sideways turn.
        axis = np.array([rng.normal(0, 0.15), 1.0, rng.normal(0, 0.12)])
        angle = np.deg2rad(rng.uniform(*_ANGLE)) * rng.choice([-1, 1])
        rotation = _turn(axis, angle) @ rotation
        bearing = rng.uniform(0, 2 * np.pi)
        reach = _SHIFT * np.sqrt(rng.random())
        centre += reach * np.array([np.cos(bearing), np.sin(bearing), 0])
        centre[2] += rng.uniform(-0.15, 0.15)
    return Camera(
        settings.width,
        settings.height,
        _FOCAL * settings.width,
        rotation,
        -rotation @ centre,
    )


def world_camera(settings: WorldSettings, key: ImageKey) -> Camera:
    """The same camera in the coordinates of the town."""
    camera = street_camera(settings, key)
    centre = camera.centre + street_offset(key.street)
    return replace(camera, translation=-camera.rotation @ centre)


def street_offset(street: int) -> np.ndarray:
    """(3,) origin of a street in the town, metres: streets lie in a row."""
    return np.array([0.0, _STREET_DISTANCE * street, 0.0])


def _turn(axis: np.ndarray, angle: float) -> np.ndarray:
    """(3, 3) rotation about an axis of any length (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
