"""Houses: few types and colours, so that different houses look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .primitives import Cutout, Material, Scene

SHOP, DOOR, SHUTTERS, BRICK, TIMBER, CORNICE, BLIND = (1, 2, 4, 8, 16, 32, 64)

_COLOURS = (
    (0.80, 0.74, 0.60),
    (0.74, 0.52, 0.34),
    (0.82, 0.80, 0.76),
    (0.46, 0.19, 0.13),
    (0.56, 0.60, 0.62),
    (0.78, 0.62, 0.50),
    (0.55, 0.42, 0.30),
)
_ROOFS = ((0.36, 0.13, 0.08), (0.16, 0.15, 0.16), (0.30, 0.18, 0.13))


class HouseType(NamedTuple):
    """What all houses of a type share; lengths in metres."""

    pitch: float
    window_width: float
    window_height: float
    floor_height: float
    flags: int


_TYPES: tuple[HouseType, ...] = (
    HouseType(2.4, 1.1, 1.5, 3.0, CORNICE),
    HouseType(2.0, 0.9, 1.4, 2.9, SHUTTERS),
    HouseType(3.2, 1.9, 1.4, 2.8, 0),
    HouseType(2.6, 1.2, 1.7, 3.3, BRICK | CORNICE),
    HouseType(2.2, 0.9, 1.1, 2.6, TIMBER),
    HouseType(1.7, 0.8, 1.6, 3.2, BRICK),
)


def add_house(
    scene: Scene,
    low: Sequence[float],
    high: Sequence[float],
    front: int,
    rng: np.random.Generator,
    shop_share: float = 0.4,
) -> None:
    """Add one house.

    Args:
        scene: Receives the primitives.
        low: x, y of the ground plan's smaller corner, metres.
        high: x, y of the larger corner.
        front: Which side has the door: 0 = -y, 1 = +x, 2 = +y, 3 = -x.
        rng: Decides type, colours and height.
        shop_share: Probability of a shop on the ground floor.
    """
    kind = _TYPES[rng.integers(len(_TYPES))]
    brick = bool(kind.flags & BRICK)
    colour = _COLOURS[3] if brick else _COLOURS[rng.integers(len(_COLOURS))]
    tinted = [c * rng.uniform(0.93, 1.07) for c in colour]
    floors = int(rng.integers(2, 5))
    shop = SHOP if rng.random() < shop_share else 0
    ground = 0.6 if shop else 0.0
    height = floors * kind.floor_height + ground + 0.7
    numbers: list[float] = [
        *tinted,
        kind.pitch,
        kind.window_width,
        kind.window_height,
        kind.floor_height,
        0,
        float(rng.integers(6)),
        float(rng.uniform(0.15, 0.85)),
        float(rng.integers(1, 9999)),
        float(rng.integers(4)),
    ]
    _add_walls(scene, low, high, height, front, kind.flags, shop, numbers)
    along_x = front in (0, 2)
    roof = _ROOFS[rng.integers(len(_ROOFS))]
    if rng.random() < 0.8:
        rise = rng.uniform(2.2, 4.0)
        _add_gable_roof(scene, low, high, height, rise, along_x, roof, numbers)
    else:
        top = (*low, height - 0.02), (*high, height + 0.35)
        scene.box(*top, Material.PLAIN, [0.5 * c for c in tinted])
    cx, cy = ((a + b) / 2 for a, b in zip(low, high))
    if rng.random() < 0.7:
        cx += rng.uniform(-2, 2) if along_x else 0
        cy += 0 if along_x else rng.uniform(-2, 2)
        foot = (cx - 0.4, cy - 0.9, height)
        head = (cx + 0.4, cy - 0.2, height + 4.0)
        scene.box(foot, head, Material.PLAIN, (0.36, 0.17, 0.12))


def _add_walls(
    scene: Scene,
    low: Sequence[float],
    high: Sequence[float],
    height: float,
    front: int,
    flags: int,
    shop: int,
    numbers: list[float],
) -> None:
    x0, y0 = low
    x1, y1 = high
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    for side in range(4):
        start, end = corners[side], corners[(side + 1) % 4]
        along = (end[0] - start[0], end[1] - start[1], 0)
        sort = flags | (shop or DOOR) if side == front else flags
        if (side - front) % 2:
            # Walls towards the neighbours have few windows or none.
            sort = flags | (BLIND if numbers[10] % 2 else 0)
        params = list(numbers)
        params[7] = float(sort)
        scene.quad(
            (*start, -0.2),
            along,
            (0, 0, height + 0.2),
            Material.FACADE,
            params,
            one_sided=True,
        )


def _add_gable_roof(
    scene: Scene,
    low: Sequence[float],
    high: Sequence[float],
    height: float,
    rise: float,
    along_x: bool,
    colour: Sequence[float],
    numbers: Sequence[float],
) -> None:
    """Two slopes with the ridge along the street, two gables."""
    over = 0.4
    base = np.array([*low, height])
    size = np.array([high[0] - low[0], high[1] - low[1]])
    # Unit steps along the ridge and across it.
    ridge, across = np.eye(3)[[0, 1] if along_x else [1, 0]]
    length, depth = size if along_x else size[::-1]
    half = depth / 2
    rising = across * (half + over) + [0, 0, rise * (half + over) / half]
    falling = rising * [1, 1, -1]
    eaves = base - across * over - [0, 0, rise * over / half]
    other_eaves = eaves + across * (depth + 2 * over)
    along = length * ridge
    scene.quad(eaves, along, rising, Material.ROOF, colour)
    scene.quad(other_eaves, along, -falling, Material.ROOF, colour)
    for corner in (base, base + along):
        scene.quad(
            corner,
            depth * across,
            (0, 0, rise),
            Material.PLAIN,
            numbers[:3],
            Cutout.TRIANGLE,
        )
