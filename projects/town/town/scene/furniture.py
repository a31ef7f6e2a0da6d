"""What stands in the street: lamps, signs, lights, fences, trees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .primitives import Cutout, Material, Scene

_GREY = (0.30, 0.32, 0.33)
SIGN_KINDS = 5


def add_lamp(scene: Scene, x: float, y: float) -> tuple[float, float, float]:
    """Add a street lamp that leans over the road; return its light."""
    inward = -np.sign(y)
    scene.cylinder((x, y, 0.1), 0.07, 5.4, Material.POLE, _GREY)
    reach = y + inward * 1.5
    low, high = min(y, reach), max(y, reach)
    scene.box(
        (x - 0.04, low, 5.4), (x + 0.04, high, 5.5), Material.POLE, _GREY
    )
    tip = reach + inward * 0.25
    scene.box(
        (x - 0.17, min(reach, tip) - 0.2, 5.36),
        (x + 0.17, max(reach, tip) + 0.2, 5.54),
        Material.LAMP,
        _GREY,
    )
    # The light's own quad: boxes have no bottom.
    scene.quad(
        (x - 0.17, min(reach, tip) - 0.2, 5.355),
        (0.34, 0, 0),
        (0, 0.65, 0),
        Material.LAMP,
        (1, 1, 1, 1),
    )
    return x, reach, 5.3


def add_sign(scene: Scene, x: float, y: float, facing: int, kind: int) -> None:
    """Add a traffic sign.

    Args:
        scene: Receives the primitives.
        x: Position of the pole, metres.
        y: Position of the pole.
        facing: +1 if read by who drives towards -x, else -1.
        kind: 0 .. SIGN_KINDS - 1.
    """
    scene.cylinder((x, y, 0.1), 0.045, 2.9, Material.POLE, (0.5, 0.5, 0.52))
    size = 0.72
    half = size / 2
    front_x = x + facing * 0.06
    corner = (front_x, y - facing * half, 2.15)
    along = (0, facing * size, 0)
    cutout = (
        Cutout.DISC,
        Cutout.TRIANGLE,
        Cutout.FULL,
        Cutout.DISC,
        Cutout.FULL,
    )[kind]
    rest = (along, (0, 0, size))
    params = (0, 0, 0, kind)
    scene.quad(corner, *rest, Material.SIGN, params, cutout, True)
    back = (x + facing * 0.055, y + facing * half, 2.15)
    along = (0, -facing * size, 0)
    scene.quad(
        back,
        along,
        (0, 0, size),
        Material.SIGN_BACK,
        (0.45, 0.46, 0.47),
        cutout,
        True,
    )


def add_traffic_light(scene: Scene, x: float, y: float) -> None:
    """Add a traffic light at a corner."""
    scene.cylinder((x, y, 0.1), 0.06, 2.5, Material.POLE, (0.12, 0.14, 0.13))
    scene.box(
        (x - 0.16, y - 0.16, 2.3),
        (x + 0.16, y + 0.16, 3.3),
        Material.TRAFFIC_LIGHT,
        (0.03, 0.03, 0.03),
    )


def add_boundary(
    scene: Scene, x0: float, x1: float, y: float, rng: np.random.Generator
) -> None:
    """Close a front garden with a fence, a wall or a hedge."""
    kind = rng.integers(4)
    length = x1 - x0
    if kind == 0:
        colour = [(0.75, 0.75, 0.72), (0.25, 0.16, 0.09)][rng.integers(2)]
        scene.quad(
            (x0, y, 0.1),
            (length, 0, 0),
            (0, 0, 1.15),
            Material.FENCE,
            (*colour, round(length / 0.17)),
            Cutout.PICKETS,
        )
    elif kind == 1:
        colour = (0.10, 0.13, 0.10)
        scene.quad(
            (x0, y, 0.1),
            (length, 0, 0),
            (0, 0, 1.3),
            Material.FENCE,
            (*colour, round(length / 0.11)),
            Cutout.PICKETS,
        )
    elif kind == 2:
        colour = [(0.42, 0.20, 0.14), (0.55, 0.53, 0.48)][rng.integers(2)]
        low, high = (x0, y - 0.12, 0.05), (x1, y + 0.12, 1.05)
        scene.box(low, high, Material.WALL, colour)
    else:
        low, high = (x0, y - 0.3, 0.05), (x1, y + 0.3, 1.35)
        scene.box(low, high, Material.HEDGE, (0.06, 0.13, 0.03))


def add_tree(
    scene: Scene,
    x: float,
    y: float,
    rng: np.random.Generator,
    small: bool = False,
) -> None:
    """Add a broad-leaved tree: trunk, branches, crown."""
    scale = rng.uniform(0.8, 1.15) * (0.65 if small else 1.0)
    trunk = 2.6 * scale
    seed = float(rng.integers(1, 999))
    bark = (0.17, 0.12, 0.08)
    radius = rng.uniform(0.13, 0.22) * scale
    scene.cylinder((x, y, 0), radius, trunk + 0.4, Material.TRUNK, bark)
    size = 5.4 * scale
    for turn in rng.uniform(0, 0.5) + np.array([0, np.pi / 3, 2 * np.pi / 3]):
        dx, dy = size * np.cos(turn), size * np.sin(turn)
        scene.quad(
            (x - dx / 2, y - dy / 2, trunk),
            (dx, dy, 0),
            (0, 0, size),
            Material.BRANCH,
            (*bark, float(rng.integers(4))),
            Cutout.BRANCHES,
        )
    tone = rng.uniform(0.75, 1.25)
    hue = float(rng.random())
    green = (0.085 * tone, 0.17 * tone, 0.035 * tone, seed, hue)
    for _ in range(22):
        spread = np.clip(rng.normal(0, 0.23, 3), -0.42, 0.42) * size
        radii = rng.uniform(0.11, 0.21, 3) * size
        centre = (
            x + spread[0],
            y + spread[1],
            trunk + 0.52 * size + 0.8 * spread[2],
        )
        scene.ellipsoid(centre, radii, Material.LEAF, green, Cutout.LEAVES)


def add_conifer(
    scene: Scene, x: float, y: float, rng: np.random.Generator
) -> None:
    """Add an evergreen tree: it keeps its crown in winter."""
    height = rng.uniform(5.0, 8.5)
    scene.cylinder((x, y, 0), 0.14, 1.2, Material.TRUNK, (0.14, 0.09, 0.06))
    seed = float(rng.integers(1, 999))
    colour = (0.035, 0.085, 0.035, seed, 0.0, 1.0)
    for share in np.linspace(0, 0.85, 6):
        radius = 0.26 * height * (1 - share)
        centre = (x, y, 0.9 + share * height)
        radii = (radius, radius, 0.17 * height)
        scene.ellipsoid(centre, radii, Material.LEAF, colour, Cutout.LEAVES)


def add_bollards(scene: Scene, xs: Sequence[float], y: float) -> None:
    """Add short posts along a kerb."""
    for x in xs:
        scene.cylinder((x, y, 0.1), 0.06, 0.9, Material.POLE, (0.1, 0.1, 0.1))
