"""Materials of the town: their Cityscapes class and where points may lie."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

SKY_CLASS = 10


class Material(IntEnum):
    """What a primitive is made of; decides texture and class."""

    ROAD = 0
    SIDEWALK = 1
    GRASS = 2
    FACADE = 3
    ROOF = 4
    PLAIN = 5
    WALL = 6
    FENCE = 7
    HEDGE = 8
    POLE = 9
    LAMP = 10
    TRAFFIC_LIGHT = 11
    SIGN = 12
    SIGN_BACK = 13
    TRUNK = 14
    LEAF = 15
    BRANCH = 16
    FOREST = 17
    CAR_PAINT = 18
    CAR_GLASS = 19
    WHEEL = 20
    CAR_LIGHT = 21
    PERSON = 22


# Cityscapes train ids.
_CLASS: dict[Material, int] = {
    Material.ROAD: 0,
    Material.SIDEWALK: 1,
    Material.GRASS: 9,
    Material.FACADE: 2,
    Material.ROOF: 2,
    Material.PLAIN: 2,
    Material.WALL: 3,
    Material.FENCE: 4,
    Material.HEDGE: 8,
    Material.POLE: 5,
    Material.LAMP: 5,
    Material.TRAFFIC_LIGHT: 6,
    Material.SIGN: 7,
    Material.SIGN_BACK: 7,
    Material.TRUNK: 8,
    Material.LEAF: 8,
    Material.BRANCH: 8,
    Material.FOREST: 8,
    Material.CAR_PAINT: 13,
    Material.CAR_GLASS: 13,
    Material.WHEEL: 13,
    Material.CAR_LIGHT: 13,
    Material.PERSON: 11,
}

# Points of the map per square metre of surface; a material that is not named
# carries none: crowns change with the season, cars and people move.
_POINTS_PER_M2: dict[Material, float] = {
    Material.ROAD: 4.0,
    Material.SIDEWALK: 7.0,
    Material.GRASS: 3.0,
    Material.FACADE: 12.0,
    Material.ROOF: 3.0,
    Material.PLAIN: 5.0,
    Material.WALL: 20.0,
    Material.FENCE: 25.0,
    Material.HEDGE: 10.0,
    Material.POLE: 60.0,
    Material.TRAFFIC_LIGHT: 120.0,
    Material.SIGN: 150.0,
    Material.SIGN_BACK: 60.0,
    Material.TRUNK: 50.0,
}

MATERIAL_CLASS = np.array([_CLASS[m] for m in Material], dtype=np.uint8)
POINT_DENSITY = np.array([_POINTS_PER_M2.get(m, 0.0) for m in Material])
