"""Where the light comes from: sky, sun, street lamps, headlights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..conditions import Condition
from ..noise import fractal_noise
from ..scene.primitives import Material, Scene
from .raster import render
from .rays import View
from .textures.samples import Samples, blend, rgb

_LAMP_COLOUR = rgb([1.0, 0.68, 0.34])
_LAMP_REACH = 45.0


class ShadowMap:
    """Depths along the rays of the sun over a square around a point.

    Args:
        scene: What throws shadows.
        visible: (P,) which primitives take part.
        sun: (3,) unit vector towards the sun.
        centre: (3,) world point in the middle.
        half: Half the side of the square, metres.
        size: Samples along a side.
        leaf_density: Share of a crown that stops light, 0..1.
    """

    def __init__(
        self,
        scene: Scene,
        visible: np.ndarray,
        sun: np.ndarray,
        centre: np.ndarray,
        half: float,
        size: int,
        leaf_density: float,
    ) -> None:
        right = np.cross(-sun, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(-sun, right), -sun])
        grid = (np.arange(size) + 0.5) / size * 2 * half - half
        # Start far above so that everything lies ahead.
        self.view = View(rotation, centre + 120 * sun, grid, grid, True)
        self.step = 2 * half / size
        self.depth = render(self.view, scene, visible, leaf_density).depth

    def lit(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Share of the sun that reaches points.

        Args:
            points: (n, 3) world points, metres.
            normals: (n, 3) unit normals.

        Returns:
            (n,) float32 in 0..1; 1 outside the square.
        """
        size = len(self.view.xs)
        moved = points + normals * np.float32(1.2 * self.step)
        offset = moved - self.view.origin.astype(np.float32)
        local = offset @ self.view.rotation.T.astype(np.float32)
        col = (local[:, 0] - self.view.xs[0]) / np.float32(self.step)
        row = (local[:, 1] - self.view.ys[0]) / np.float32(self.step)
        total = np.zeros(len(points), np.float32)
        for dx, dy in ((0.0, 0.0), (0.9, 0.4), (-0.4, 0.9), (-0.5, -0.8)):
            c = np.rint(col + dx).astype(np.int32)
            r = np.rint(row + dy).astype(np.int32)
            inside = (c >= 0) & (c < size) & (r >= 0) & (r < size)
            c, r = np.clip(c, 0, size - 1), np.clip(r, 0, size - 1)
            ahead = self.depth[r, c] + np.float32(0.05)
            total += ~inside | (ahead > local[:, 2])
        return total / 4


@dataclass
class Lighting:
    """The light in which a street is seen.

    Attributes:
        condition: Season, weather and hour.
        moment: A number that differs between traversals.
        lamps: Street lamps' positions, metres.
        shadow: Shadows of the sun, or None without sun.
        car_plans: (C, 4) ground plans of the cars x0, y0, x1, y1: it is
            dark below them.
    """

    condition: Condition
    moment: int
    lamps: Sequence[Sequence[float]] = ()
    shadow: ShadowMap | None = None
    car_plans: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))


def sun_direction(condition: Condition) -> np.ndarray:
    """(3,) unit vector towards the sun."""
    azimuth = np.deg2rad(condition.sun_azimuth)
    elevation = np.deg2rad(condition.sun_elevation)
    flat = np.cos(elevation)
    return np.array(
        [flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)]
    )


def incoming(
    kind: Material,
    p: Samples,
    ray: np.ndarray,
    away: np.ndarray,
    light: Lighting,
) -> np.ndarray:
    """Light that falls on a surface.

    Args:
        kind: Material of the surface.
        p: Its points.
        ray: (n, 3) unit vectors from the camera to the points.
        away: (n,) distances from the camera, metres.
        light: Light of the street.

    Returns:
        (n, 3) linear RGB.
    """
    c = light.condition
    up = 0.75 + 0.25 * p.normal[:, 2]
    # Less sky is seen from the foot of a wall.
    up *= 0.72 + 0.28 * np.clip(
        p.xyz[:, 2] / 2.5 + (p.normal[:, 2] > 0.5), 0, 1
    )
    if kind in (Material.ROAD, Material.SIDEWALK):
        for x0, y0, x1, y1 in light.car_plans:
            dx = np.maximum(x0 - p.xyz[:, 0], p.xyz[:, 0] - x1)
            dy = np.maximum(y0 - p.xyz[:, 1], p.xyz[:, 1] - y1)
            up *= np.clip(0.35 + 1.3 * np.maximum(dx, dy), 0.2, 1)
    total = up[:, None].astype(np.float32) * rgb(c.ambient)
    if light.shadow is not None:
        sun = sun_direction(c).astype(np.float32)
        facing = np.clip(p.normal @ sun, 0, 1)
        if kind in (Material.LEAF, Material.FOREST, Material.HEDGE):
            facing = 0.35 + 0.65 * facing
        facing = facing * light.shadow.lit(p.xyz, p.normal)
        total = total + facing[:, None] * rgb(c.sun)
    if c.lamps:
        total = total + _lamplight(p, light)
        total = total + _headlights(p, ray, away)
    return total


def _lamplight(p: Samples, light: Lighting) -> np.ndarray:
    total = np.zeros(len(p.xyz), np.float32)
    middle = p.xyz.mean(0)
    for lamp in light.lamps:
        offset = rgb(lamp) - p.xyz
        square = (offset**2).sum(1)
        if (
            square.min() > _LAMP_REACH**2
            or np.hypot(*(middle - lamp)[:2]) > 90
        ):
            continue
        distance = np.sqrt(square)
        facing = np.clip((p.normal * offset).sum(1) / distance, 0.08, 1)
        down = np.clip(offset[:, 2] / distance + 0.25, 0.03, 1)
        total += 16 * facing * down / (square + 6)
    return total[:, None] * _LAMP_COLOUR * np.float32(light.condition.lamps)


def _headlights(p: Samples, ray: np.ndarray, away: np.ndarray) -> np.ndarray:
    """The camera car's own lights, mostly below the horizon."""
    facing = np.clip(-(ray * p.normal).sum(1), 0.1, 1)
    cone = np.exp(-(np.clip((ray[:, 2] + 0.02) / 0.035, 0, 5) ** 2))
    strength = 14 * facing * cone / (away**2 + 30)
    return strength[:, None] * rgb([1.0, 0.93, 0.78])


def sky(directions: np.ndarray, light: Lighting) -> np.ndarray:
    """Radiance of the sky.

    Args:
        directions: (n, 3) unit vectors.
        light: Gives the condition, and the clouds of the moment.

    Returns:
        (n, 3) float32 linear RGB.
    """
    c = light.condition
    height = np.clip(directions[:, 2], 0, 1)
    share = (1 - np.exp(-3.2 * height))[:, None]
    low, top = rgb(c.sky_low), rgb(c.sky_top)
    colour = low + share.astype(np.float32) * (top - low)
    scale = 1.5 / (height + 0.25)
    shift = 11.7 * (light.moment % 97)
    clouds = fractal_noise(
        directions[:, 0] * scale + shift, directions[:, 1] * scale + shift, 5
    )
    cover = np.clip((clouds - 0.75 + 0.45 * c.clouds) * 4, 0, 1)
    bright = 0.65 * low + 0.35 * low.max() * (0.6 + 0.6 * clouds[:, None])
    blend(colour, 0.85 * cover, bright.astype(np.float32))
    if max(c.sun):
        near = np.clip(directions @ sun_direction(c), 0, 1) ** 24
        colour += (0.45 * near)[:, None] * rgb(c.sun)
    return colour.astype(np.float32)
