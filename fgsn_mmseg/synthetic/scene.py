"""A scene: quads, upright cylinders and ellipsoids in flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from .materials import Material

NUM_PARAMS = 12
Vector = Sequence[float] | np.ndarray


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


class Scene:
    """Primitives by number; the number is the object id in every image.

    A quad is a corner and two edge vectors; its texture coordinates run
    from 0 to 1 along them. A cylinder is the centre of its foot, with
    `edge_a` = (radius, 0, 0) and `edge_b` = (0, 0, height). An ellipsoid is
    its centre with the three radii in `edge_a`.
    """

    def __init__(self) -> None:
        self._rows: list[tuple] = []
        self._frozen: dict = {}

    def __len__(self) -> int:
        return len(self._rows)

    def copy(self) -> Scene:
        """A scene with the same primitives, to which more may be added."""
        other = Scene()
        other._rows = list(self._rows)
        return other

    def _add(self, *row) -> None:
        self._rows.append(row)
        self._frozen.clear()

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
        self._add(
            Shape.QUAD,
            corner,
            edge_a,
            edge_b,
            material,
            cutout,
            one_sided,
            params,
        )

    def box(
        self,
        low: Vector,
        high: Vector,
        material: Material,
        params: Vector = (),
        top: Material | None = None,
    ) -> None:
        """Add the four sides and the top of an axis-aligned box.

        Sides have their first coordinate along the wall, to the right for
        one who looks at it from outside, and the second upwards.
        """
        x0, y0, z0 = low
        dx, dy, dz = (h - lo for h, lo in zip(high, low))
        up = (0, 0, dz)
        sides = (
            ((x0, y0, z0), (dx, 0, 0)),
            ((x0 + dx, y0, z0), (0, dy, 0)),
            ((x0 + dx, y0 + dy, z0), (-dx, 0, 0)),
            ((x0, y0 + dy, z0), (0, -dy, 0)),
        )
        for corner, along in sides:
            self.quad(corner, along, up, material, params, one_sided=True)
        self.quad(
            (x0, y0, z0 + dz),
            (dx, 0, 0),
            (0, dy, 0),
            material if top is None else top,
            params,
            one_sided=True,
        )

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
        self._add(
            Shape.CYLINDER, foot, *edges, material, Cutout.FULL, False, params
        )

    def ellipsoid(
        self,
        centre: Vector,
        radii: Vector,
        material: Material,
        params: Vector = (),
        cutout: Cutout = Cutout.FULL,
    ) -> None:
        """Add an axis-aligned ellipsoid."""
        self._add(
            Shape.ELLIPSOID,
            centre,
            radii,
            (0, 0, 0),
            material,
            cutout,
            False,
            params,
        )

    def _column(self, name: str) -> np.ndarray:
        if not self._frozen:
            columns = list(zip(*self._rows))
            params = np.zeros((len(self), NUM_PARAMS), dtype=np.float32)
            for row, values in zip(params, columns[7]):
                row[: len(values)] = values
            edge_a = np.array(columns[2], dtype=np.float64)
            edge_b = np.array(columns[3], dtype=np.float64)
            normal = np.cross(edge_a, edge_b)
            square = np.maximum((normal**2).sum(1, keepdims=True), 1e-12)
            self._frozen = dict(
                normal=normal / np.sqrt(square),
                dual_a=np.cross(edge_b, normal) / square,
                dual_b=np.cross(normal, edge_a) / square,
                length_a=np.linalg.norm(edge_a, axis=1).astype(np.float32),
                length_b=np.linalg.norm(edge_b, axis=1).astype(np.float32),
                shape=np.array(columns[0], dtype=np.int8),
                corner=np.array(columns[1], dtype=np.float64),
                edge_a=edge_a,
                edge_b=edge_b,
                material=np.array(columns[4], dtype=np.int16),
                cutout=np.array(columns[5], dtype=np.int8),
                one_sided=np.array(columns[6], dtype=bool),
                params=params,
            )
        return self._frozen[name]

    @property
    def shape(self) -> np.ndarray:
        """(P,) kind of each primitive."""
        return self._column('shape')

    @property
    def corner(self) -> np.ndarray:
        """(P, 3) corner, foot or centre, metres."""
        return self._column('corner')

    @property
    def edge_a(self) -> np.ndarray:
        """(P, 3) first edge or radii, metres."""
        return self._column('edge_a')

    @property
    def edge_b(self) -> np.ndarray:
        """(P, 3) second edge, metres."""
        return self._column('edge_b')

    @property
    def length_a(self) -> np.ndarray:
        """(P,) float32 length of the first edge, metres."""
        return self._column('length_a')

    @property
    def length_b(self) -> np.ndarray:
        """(P,) float32 length of the second edge, metres."""
        return self._column('length_b')

    @property
    def normal(self) -> np.ndarray:
        """(P, 3) unit vector along a x b; no meaning but for quads."""
        return self._column('normal')

    @property
    def dual_a(self) -> np.ndarray:
        """(P, 3) vector whose product with p - corner is a."""
        return self._column('dual_a')

    @property
    def dual_b(self) -> np.ndarray:
        """(P, 3) vector whose product with p - corner is b."""
        return self._column('dual_b')

    @property
    def material(self) -> np.ndarray:
        """(P,) index into `Material`."""
        return self._column('material')

    @property
    def cutout(self) -> np.ndarray:
        """(P,) index into `Cutout`."""
        return self._column('cutout')

    @property
    def one_sided(self) -> np.ndarray:
        """(P,) whether the back of a quad is invisible."""
        return self._column('one_sided')

    @property
    def params(self) -> np.ndarray:
        """(P, 12) numbers whose meaning depends on the material."""
        return self._column('params')
