"""A scene: quads, upright cylinders and ellipsoids in flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np

SKY_CLASS = 10
NUM_PARAMS = 12
Vector = Sequence[float] | np.ndarray


class Material(IntEnum):
    """What a primitive is made of; decides texture, class and points.

    A member is its number, its class (Cityscapes train id) and the points
    of the map per square metre of it: crowns change with the season, cars
    and people move, they carry none.
    """

    label: int
    points_per_m2: float

    def __new__(
        cls, number: int, label: int, points_per_m2: float = 0.0
    ) -> Material:
        """Make a member; only its number is its value."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.label, member.points_per_m2 = label, points_per_m2
        return member

    ROAD = 0, 0, 4.0
    SIDEWALK = 1, 1, 7.0
    GRASS = 2, 9, 3.0
    FACADE = 3, 2, 12.0
    ROOF = 4, 2, 3.0
    PLAIN = 5, 2, 5.0
    WALL = 6, 3, 20.0
    FENCE = 7, 4, 25.0
    HEDGE = 8, 8, 10.0
    POLE = 9, 5, 60.0
    LAMP = 10, 5
    TRAFFIC_LIGHT = 11, 6, 120.0
    SIGN = 12, 7, 150.0
    SIGN_BACK = 13, 7, 60.0
    TRUNK = 14, 8, 50.0
    LEAF = 15, 8
    BRANCH = 16, 8
    FOREST = 17, 8
    CAR_PAINT = 18, 13
    CAR_GLASS = 19, 13
    WHEEL = 20, 13
    CAR_LIGHT = 21, 13
    PERSON = 22, 11


MATERIAL_CLASS = np.array([m.label for m in Material], dtype=np.uint8)
POINTS_PER_M2 = np.array([m.points_per_m2 for m in Material])
GROUND = (Material.ROAD, Material.SIDEWALK, Material.GRASS)


class Shape(IntEnum):
    """Kinds of primitives."""

    QUAD = 0
    CYLINDER = 1
    ELLIPSOID = 2


class Cutout(IntEnum):
    """Which part of a primitive's outline is solid."""

    FULL = 0
    TRIANGLE = 1
    DISC = 2
    TRAPEZOID = 3
    PERSON = 4
    PICKETS = 5
    BRANCHES = 6
    LEAVES = 7
    TREE_LINE = 8


class _Column:
    """One value of every primitive, as an array (P, ...)."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, scene: Scene, owner: type) -> np.ndarray:
        return scene._columns()[self.name]


class Scene:
    """Primitives by number; the number is the object id in every image.

    A quad is a corner and two edge vectors; its texture coordinates run
    from 0 to 1 along them. A cylinder is the centre of its foot, with
    `edge_a` = (radius, 0, 0) and `edge_b` = (0, 0, height). An ellipsoid is
    its centre with the three radii in `edge_a`.
    """

    shape = _Column('(P,) kind, see `Shape`.')
    corner = _Column('(P, 3) corner, foot or centre, metres.')
    edge_a = _Column('(P, 3) first edge or radii, metres.')
    edge_b = _Column('(P, 3) second edge, metres.')
    material = _Column('(P,) see `Material`.')
    cutout = _Column('(P,) see `Cutout`.')
    one_sided = _Column('(P,) whether the back of a quad is invisible.')
    params = _Column('(P, 12) float32, their meaning is the material.')
    length_a = _Column('(P,) float32 length of the first edge, metres.')
    length_b = _Column('(P,) float32 length of the second edge, metres.')
    normal = _Column('(P, 3) unit vector along a x b; of quads only.')
    dual_a = _Column('(P, 3) its product with p - corner is a.')
    dual_b = _Column('(P, 3) its product with p - corner is b.')

    def __init__(self) -> None:
        self._rows: list[tuple] = []
        self._frozen: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def copy(self) -> Scene:
        """A scene with the same primitives, to which more may be added."""
        other = Scene()
        other._rows = list(self._rows)
        return other

    def _add(self, *row) -> None:
        self._rows.append(row)
        self._frozen = {}

    def quad(
        self,
        corner: Vector,
        edge_a: Vector,
        edge_b: Vector,
        material: Material,
        params: Vector = (),
        cutout: Cutout = Cutout.FULL,
        one_sided: bool = False,
    ) -> None:
        """Add a parallelogram; a one-sided one is seen from a x b only."""
        edges = edge_a, edge_b
        rest = material, params, cutout, one_sided
        self._add(Shape.QUAD, corner, *edges, *rest)

    def box(
        self,
        low: Vector,
        high: Vector,
        material: Material,
        params: Vector = (),
    ) -> None:
        """Add the four sides and the top of an axis-aligned box.

        Sides have their first coordinate along the wall, to the right for
        one who looks at it from outside, and the second upwards.
        """
        x0, y0, z0 = low
        dx, dy, dz = (h - lo for h, lo in zip(high, low))
        up = (0, 0, dz)
        for corner, edge_a, edge_b in (
            ((x0, y0, z0), (dx, 0, 0), up),
            ((x0 + dx, y0, z0), (0, dy, 0), up),
            ((x0 + dx, y0 + dy, z0), (-dx, 0, 0), up),
            ((x0, y0 + dy, z0), (0, -dy, 0), up),
            ((x0, y0, z0 + dz), (dx, 0, 0), (0, dy, 0)),
        ):
            self.quad(corner, edge_a, edge_b, material, params, one_sided=True)

    def cylinder(
        self,
        foot: Vector,
        radius: float,
        height: float,
        material: Material,
        params: Vector = (),
    ) -> None:
        """Add the mantle of an upright cylinder."""
        edges = (radius, 0, 0), (0, 0, height)
        rest = material, params, Cutout.FULL, False
        self._add(Shape.CYLINDER, foot, *edges, *rest)

    def ellipsoid(
        self,
        centre: Vector,
        radii: Vector,
        material: Material,
        params: Vector = (),
        cutout: Cutout = Cutout.FULL,
    ) -> None:
        """Add an axis-aligned ellipsoid."""
        rest = material, params, cutout, False
        self._add(Shape.ELLIPSOID, centre, radii, (0, 0, 0), *rest)

    def _columns(self) -> dict[str, np.ndarray]:
        """All columns; they are made anew after something was added."""
        if not self._frozen:
            kind, corner, *edges, material, numbers, cutout, one_sided = zip(
                *self._rows
            )
            edge_a, edge_b = (np.array(edge, np.float64) for edge in edges)
            params = np.zeros((len(self), NUM_PARAMS), dtype=np.float32)
            for row, values in zip(params, numbers):
                row[: len(values)] = values
            normal = np.cross(edge_a, edge_b)
            square = np.maximum((normal**2).sum(1, keepdims=True), 1e-12)
            self._frozen = dict(
                shape=np.array(kind, dtype=np.int8),
                corner=np.array(corner, dtype=np.float64),
                edge_a=edge_a,
                edge_b=edge_b,
                material=np.array(material, dtype=np.int16),
                cutout=np.array(cutout, dtype=np.int8),
                one_sided=np.array(one_sided, dtype=bool),
                params=params,
                length_a=np.linalg.norm(edge_a, axis=1).astype(np.float32),
                length_b=np.linalg.norm(edge_b, axis=1).astype(np.float32),
                normal=normal / np.sqrt(square),
                dual_a=np.cross(edge_b, normal) / square,
                dual_b=np.cross(normal, edge_a) / square,
            )
        return self._frozen
