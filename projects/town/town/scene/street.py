"""One street of the town, with side streets and closed ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import furniture
from .houses import add_house
from .primitives import Cutout, Material, Scene

ROAD_HALF = 5.5
WALK_END = 8.0
PLOT_END = 60.0
WALK_HEIGHT = 0.13
SIDE_WIDTH = 7.0
_MARGIN = 14.0


@dataclass
class Street:
    """The static things of one street, in its own coordinates.

    The street runs along x from 0 to `length`, the middle of the road is
    y = 0, z is up; metres.

    Attributes:
        scene: Primitives.
        length: Metres.
        lamps: Positions of the street lamps' lights.
        crossings: x ranges of the side streets.
    """

    scene: Scene
    length: float
    lamps: list[tuple[float, float, float]] = field(default_factory=list)
    crossings: list[tuple[float, float]] = field(default_factory=list)


def build_street(seed: int, index: int, length: float) -> Street:
    """Build one street.

    Args:
        seed: Of the world.
        index: Number of the street.
        length: Between the two closed ends, metres.

    Returns:
        The same street for the same arguments.
    """
    rng = np.random.default_rng([seed, 1, index])
    street = Street(Scene(), length)
    count = max(1, round(length / 60))
    for part in range(count):
        middle = length * (part + rng.uniform(0.35, 0.65)) / count
        half = SIDE_WIDTH / 2
        street.crossings.append((middle - half, middle + half))
    _add_ground(street)
    edges = [-_MARGIN + 6.0]
    for start, end in street.crossings:
        edges += [start, end]
    edges.append(length + _MARGIN - 6.0)
    for x0, x1 in zip(edges[::2], edges[1::2]):
        for side in (-1, 1):
            _add_block(street, x0, x1, side, rng)
    _add_ends(street, rng)
    _add_backdrop(street, rng)
    for start, end in street.crossings:
        furniture.add_traffic_light(street.scene, start - 0.6, -5.9)
        furniture.add_traffic_light(street.scene, end + 0.6, 5.9)
    return street


def _add_ground(street: Street) -> None:
    scene, far = street.scene, PLOT_END
    x0, x1 = -_MARGIN - far, street.length + _MARGIN + far
    low = (x0, -far, -0.05)
    sides = (x1 - x0, 0, 0), (0, 2 * far, 0)
    scene.quad(low, *sides, Material.GRASS, (0.10, 0.16, 0.05))
    # params: 1 = lane markings along a, 2 = across, 3 = none
    end = _MARGIN + 6.0
    long = (street.length + 2 * end, 0, 0)
    wide = (0, 2 * ROAD_HALF, 0)
    start = (-end, -ROAD_HALF, 0)
    scene.quad(start, long, wide, Material.ROAD, (0.14, 0.14, 0.145, 1))
    for a, b in [
        *street.crossings,
        (-end, -_MARGIN + 6.0),
        (street.length + _MARGIN - 6.0, street.length + end),
    ]:
        for side in (-1, 1):
            y = ROAD_HALF if side > 0 else -far
            scene.quad(
                (a, y, 0),
                (b - a, 0, 0),
                (0, far - ROAD_HALF, 0),
                Material.ROAD,
                (0.13, 0.13, 0.135, 2),
            )


def _add_block(
    street: Street, x0: float, x1: float, side: int, rng: np.random.Generator
) -> None:
    """Sidewalk, gardens, houses and furniture of one block."""
    scene = street.scene

    def across(near: float, far: float) -> tuple[float, float]:
        return (near, far) if side > 0 else (-far, -near)

    walk = across(ROAD_HALF, WALK_END)
    plot = across(WALK_END, PLOT_END)
    grey = (0.34, 0.33, 0.315)
    low, high = (x0, walk[0], -0.05), (x1, walk[1], WALK_HEIGHT)
    scene.box(low, high, Material.SIDEWALK, grey)
    low, high = (x0, plot[0], -0.05), (x1, plot[1], WALK_HEIGHT - 0.02)
    scene.box(low, high, Material.GRASS, (0.10, 0.16, 0.05))
    x = x0 + 0.8
    closed = rng.random() < 0.5
    while x < x1 - 6:
        width = min(rng.uniform(7, 13), x1 - 0.8 - x)
        if width < 5:
            break
        if rng.random() < 0.12:
            _add_park(scene, x, x + width, side, rng)
            x += width
            continue
        garden = 0.0 if closed else rng.uniform(2.5, 5.0)
        y = across(WALK_END + garden, WALK_END + garden + 10)
        front = 0 if side > 0 else 2
        ends = (x, y[0]), (x + width, y[1])
        add_house(scene, *ends, front, rng, 0.55 if closed else 0.0)
        if garden:
            edge = side * (WALK_END + 0.2)
            gate = x + width * rng.uniform(0.35, 0.65)
            furniture.add_boundary(scene, x, gate - 0.6, edge, rng)
            furniture.add_boundary(scene, gate + 0.6, x + width, edge, rng)
            spot = x + rng.uniform(1, 3), side * (WALK_END + garden / 2)
            if rng.random() < 0.35:
                furniture.add_conifer(scene, *spot, rng)
            elif rng.random() < 0.4:
                furniture.add_tree(scene, *spot, rng, small=True)
        x += width + (0.0 if closed else rng.uniform(1.5, 4.0))
        if rng.random() < 0.3:
            closed = not closed
    _add_furniture(street, x0, x1, side, rng)


def _add_park(
    scene: Scene, x0: float, x1: float, side: int, rng: np.random.Generator
) -> None:
    """A green gap between houses."""
    for _ in range(3):
        x, y = rng.uniform(x0 + 1, x1 - 1), WALK_END + rng.uniform(2, 12)
        add = (
            furniture.add_conifer
            if rng.random() < 0.3
            else (furniture.add_tree)
        )
        add(scene, x, side * y, rng)
    furniture.add_boundary(scene, x0, x1, side * (WALK_END + 0.2), rng)


def _add_furniture(
    street: Street, x0: float, x1: float, side: int, rng: np.random.Generator
) -> None:
    y = side * (ROAD_HALF + 0.4)
    scene = street.scene
    trees = rng.random() < 0.55
    for k, x in enumerate(np.arange(x0 + 2.5, x1 - 1.5, 5.5)):
        at = x + rng.uniform(-0.8, 0.8)
        if k % 4 == (0 if side > 0 else 2):
            street.lamps.append(furniture.add_lamp(scene, at, y))
        elif trees and k % 2:
            furniture.add_tree(scene, at, side * (ROAD_HALF + 0.7), rng)
        elif rng.random() < 0.5:
            kind = int(rng.integers(furniture.SIGN_KINDS))
            furniture.add_sign(scene, at, y, -1 if side < 0 else 1, kind)
    if rng.random() < 0.5:
        start = rng.uniform(x0, max(x0 + 1, x1 - 8))
        posts = np.arange(start + 1.0, min(start + 7, x1 - 1), 1.5)
        furniture.add_bollards(scene, list(posts), y)


def _add_ends(street: Street, rng: np.random.Generator) -> None:
    """Houses across both ends of the street."""
    for front, x in ((1, -_MARGIN - 20.5), (3, street.length + _MARGIN + 8.5)):
        low = (x - (0 if front == 1 else 2.5), -PLOT_END, -0.05)
        high = (x + (14.5 if front == 1 else 12), PLOT_END, WALK_HEIGHT)
        scene = street.scene
        scene.box(low, high, Material.SIDEWALK, (0.34, 0.33, 0.315))
        y = -34.0
        while y < 30:
            width = rng.uniform(8, 12)
            if front == 1 and y + width > -9 and y < 8:
                # Open towards the evening sun.
                y += 4
                continue
            ends = (x, y), (x + 12, y + width)
            add_house(scene, *ends, front, rng, 0.5)
            y += width + (rng.uniform(2, 4) if rng.random() < 0.3 else 0)


def _add_backdrop(street: Street, rng: np.random.Generator) -> None:
    """Woods behind the town on both sides."""
    length = street.length + 2 * _MARGIN + 80
    for y in (-52.0, 52.0):
        scene_params = (0.05, 0.09, 0.03, float(rng.uniform(0, 99)), length)
        street.scene.quad(
            (-_MARGIN - 40, y, -0.1),
            (length, 0, 0),
            (0, 0, rng.uniform(13, 17)),
            Material.FOREST,
            scene_params,
            Cutout.TREE_LINE,
        )
