from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from town.camera import (
    Camera,
    look_rotation,
    quaternion,
)


def camera_at(centre, yaw=0.0, pitch=0.0, roll=0.0):
    rotation = look_rotation(yaw, pitch, roll)
    return Camera(40, 30, 20.0, rotation, -rotation @ np.asarray(centre))


def test_a_point_ahead_right_and_above_by_hand():
    # Looks along +x from (1, 2, 1.5): left is +y, up is +z. The point is
    # 10 ahead, 5 to the right and 2 above: u = 19.5 + 20 * 5 / 10,
    # v = 14.5 - 20 * 2 / 10.
    camera = camera_at((1, 2, 1.5))
    pixels, depth = camera.project(np.array([[11.0, -3.0, 3.5]]))
    np.testing.assert_allclose(depth, [10])
    np.testing.assert_allclose(pixels, [[29.5, 10.5]])


@pytest.mark.parametrize(
    'yaw, point', [(np.pi / 2, (0, 4, 0)), (np.pi, (-4, 0, 0))]
)
def test_yaw_turns_left(yaw, point):
    pixels, depth = camera_at((0, 0, 0), yaw).project(np.array([point]))
    np.testing.assert_allclose(depth, [4])
    np.testing.assert_allclose(pixels, [[19.5, 14.5]], atol=1e-9)


def test_positive_pitch_looks_up():
    camera = camera_at((0, 0, 0), pitch=0.3)
    assert camera.project(np.array([[5.0, 0, 0]]))[0][0, 1] > 14.5


def test_back_projection_undoes_projection():
    camera = camera_at((3, -1, 2), 0.4, -0.1, 0.05)
    points = (
        camera.centre
        + np.random.default_rng(0).normal(size=(50, 3))
        + 6 * camera.rotation[2]
    )
    pixels, depth = camera.project(points)
    np.testing.assert_allclose(
        camera.back_project(pixels, depth), points, atol=1e-9
    )


def test_quaternion_is_hamiltonian_w_first():
    # 90 degrees about z turns x into y.
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(quaternion(turn), [half, 0, 0, half])


def test_quaternion_and_back():
    rng = np.random.default_rng(1)
    for angles in rng.uniform(-3, 3, (20, 3)):
        rotation = look_rotation(*angles)
        np.testing.assert_allclose(
            rotation @ rotation.T, np.eye(3), atol=1e-12
        )
        assert np.linalg.det(rotation) == pytest.approx(1)
        q = quaternion(rotation)
        assert q[0] >= 0
        back = Rotation.from_quat(q[[1, 2, 3, 0]]).as_matrix()
        np.testing.assert_allclose(back, rotation)
