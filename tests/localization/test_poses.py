from __future__ import annotations

import numpy as np
import pytest
from localization_worlds import ROTATION, TRANSLATION

from fgsn_mmseg.localization import pose_error
from fgsn_mmseg.localization.poses import (
    camera_centre,
    from_quaternion,
    to_quaternion,
)


def test_quaternion_of_a_quarter_turn_about_z():
    half = np.sqrt(0.5)
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    np.testing.assert_allclose(to_quaternion(turn), [half, 0, 0, half])
    np.testing.assert_allclose(
        from_quaternion([-2.0, 0, 0, -2.0]), turn, atol=1e-12
    )
    np.testing.assert_allclose(
        from_quaternion(to_quaternion(ROTATION)), ROTATION, atol=1e-12
    )


def test_centre_projects_to_the_origin_of_the_camera():
    centre = camera_centre(ROTATION, TRANSLATION)
    np.testing.assert_allclose(ROTATION @ centre + TRANSLATION, 0, atol=1e-12)


def test_pose_error_of_a_step_and_a_turn():
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    centre = np.array([1.0, 2.0, 3.0])
    moved = centre + [0, 0.6, 0.8]
    metres, degrees = pose_error(
        turn, -turn @ moved, np.eye(3), -np.eye(3) @ centre
    )
    assert metres == pytest.approx(1.0) and degrees == pytest.approx(90.0)
