"""Cars and people: elsewhere in every traversal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..camera import Camera
from .primitives import Cutout, Material, Scene
from .street import ROAD_HALF, WALK_END, WALK_HEIGHT, Street

_PAINTS = (
    (0.75, 0.76, 0.78),
    (0.03, 0.03, 0.035),
    (0.30, 0.31, 0.33),
    (0.45, 0.03, 0.03),
    (0.04, 0.08, 0.28),
    (0.70, 0.68, 0.62),
    (0.06, 0.16, 0.09),
)
_CLOTHES = (
    (0.05, 0.06, 0.12),
    (0.45, 0.08, 0.07),
    (0.10, 0.22, 0.35),
    (0.55, 0.50, 0.42),
    (0.04, 0.04, 0.04),
    (0.60, 0.45, 0.08),
)


def add_traffic(
    street: Street,
    camera: Camera,
    parked: np.random.Generator,
    moving: np.random.Generator,
) -> tuple[Scene, np.ndarray]:
    """Put cars and people into a street.

    Args:
        street: The static street; left as it is.
        camera: Whose view is not to be blocked from close by.
        parked: Decides parked cars: one state per traversal.
        moving: Decides the rest: one state per image.

    Returns:
        A scene whose first primitives are the street's, and the ground
        plans of the cars (C, 4) as x0, y0, x1, y1, for their shadows.
    """
    scene = street.scene.copy()
    plans = []
    eye = camera.centre
    for side in (-1, 1):
        x = -6 + parked.uniform(0, 4)
        # Fewer beside the camera's lane: they would hide the street.
        share = 0.25 if side * eye[1] > 0 else 0.55
        while x < street.length + 6:
            crossing = any(a - 5 < x < b + 5 for a, b in street.crossings)
            if parked.random() < share and not crossing:
                y = side * (ROAD_HALF - 1.05)
                plans.append(_add_car(scene, x, y, -side, parked))
            x += parked.uniform(5.2, 7.0)
    for lane in (-1.7, 1.7):
        x = -10 + moving.uniform(0, 30)
        while x < street.length + 10:
            if abs(x - eye[0]) > (9 if lane * eye[1] < 0 else 14):
                heading = -1 if lane > 0 else 1
                plans.append(_add_car(scene, x, lane, heading, moving))
            x += moving.uniform(14, 45)
    for _ in range(round(street.length * moving.uniform(0.12, 0.3))):
        x = moving.uniform(-4, street.length + 4)
        side = moving.choice([-1, 1])
        y = side * moving.uniform(ROAD_HALF + 0.8, WALK_END - 0.3)
        z = WALK_HEIGHT
        if moving.random() < 0.1:
            y, z = moving.uniform(-4, 4), 0.0
        if np.hypot(x - eye[0], y - eye[1]) > 7:
            _add_person(scene, (x, y, z), eye, moving)
    return scene, np.array(plans).reshape(-1, 4)


def _add_person(
    scene: Scene,
    foot: Sequence[float],
    eye: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """A flat figure that faces the camera."""
    height = rng.uniform(1.55, 1.9)
    width = 0.62
    away = np.array([foot[0] - eye[0], foot[1] - eye[1]])
    right = np.array([away[1], -away[0]]) / np.hypot(*away) * width
    corner = (foot[0] - right[0] / 2, foot[1] - right[1] / 2, foot[2])
    colour = _CLOTHES[rng.integers(len(_CLOTHES))]
    params = (*colour, rng.random(), *_CLOTHES[rng.integers(2) * 4])
    scene.quad(
        corner,
        (right[0], right[1], 0),
        (0, 0, height),
        Material.PERSON,
        params,
        Cutout.PERSON,
    )


def _add_car(
    scene: Scene, x: float, y: float, heading: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """A car around (x, y), its front towards `heading` * x."""
    length, half, body = rng.uniform(3.9, 4.7), 0.88, rng.uniform(0.82, 0.98)
    if rng.random() < 0.15:
        roof, front, back = 2.1, 0.14, 0.01
    else:
        roof, front, back = rng.uniform(1.42, 1.62), 0.32, 0.24
    paint = _PAINTS[rng.integers(len(_PAINTS))]
    x0, x1 = x - length / 2, x + length / 2
    low, high = (x0, y - half, 0.24), (x1, y + half, body)
    scene.box(low, high, Material.CAR_PAINT, (*paint, 1))
    left, right = (front, back) if heading < 0 else (back, front)
    cabin = (0.06 if back < 0.1 else 0.1) * length
    c0 = x0 + (cabin * 1.9 if heading < 0 else cabin * 0.5)
    c1 = x1 - (cabin * 0.5 if heading < 0 else cabin * 1.9)
    span, rise = c1 - c0, roof - body
    inset = 0.10
    sides: tuple[tuple[tuple, tuple, tuple, float, float], ...] = (
        ((c0, y - half, body), (span, 0, 0), (0, inset, rise), left, right),
        ((c1, y + half, body), (-span, 0, 0), (0, -inset, rise), right, left),
    )
    for corner, along, up, lean_a, lean_b in sides:
        params = (*paint, 0, 0, 0, 0, 0, 0, 0, lean_a, lean_b)
        scene.quad(
            corner, along, up, Material.CAR_GLASS, params, Cutout.TRAPEZOID
        )
    lean = inset / (2 * half)
    params = (*paint, 2, 0, 0, 0, 0, 0, 0, lean, lean)
    across = (0, 2 * half, 0)
    screens: tuple[tuple[tuple, tuple, tuple], ...] = (
        ((c0, y + half, body), (0, -2 * half, 0), (left * span, 0, rise)),
        ((c1, y - half, body), across, (-right * span, 0, rise)),
    )
    for corner, along, up in screens:
        scene.quad(
            corner, along, up, Material.CAR_GLASS, params, Cutout.TRAPEZOID
        )
    scene.quad(
        (c0 + left * span, y - half + inset, roof),
        (span * (1 - left - right), 0, 0),
        (0, 2 * (half - inset), 0),
        Material.CAR_PAINT,
        (*paint, 0),
    )
    _add_wheels_and_lights(scene, x0, x1, y, half, heading)
    return x0, y - half, x1, y + half


def _add_wheels_and_lights(
    scene: Scene, x0: float, x1: float, y: float, half: float, heading: int
) -> None:
    size = 0.64
    for x in (x0 + 0.5, x1 - 0.5 - size):
        for side in (-1, 1):
            corner = (x, y + side * (half + 0.01), 0.0)
            edges = (size, 0, 0), (0, 0, size)
            scene.quad(corner, *edges, Material.WHEEL, (), Cutout.DISC)
    for end, x in ((-1, x0 - 0.01), (1, x1 + 0.01)):
        front = float(end == heading)
        for side in (-1, 1):
            middle = y + side * (half - 0.25)
            scene.quad(
                (x, middle - 0.19, 0.58),
                (0, 0.38, 0),
                (0, 0, 0.17),
                Material.CAR_LIGHT,
                (0, 0, 0, front),
            )
