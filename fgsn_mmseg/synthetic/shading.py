"""From what is seen to how bright it is: texture, light, haze, sky."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, Sequence

import numpy as np

from . import objects
from .conditions import Condition
from .facade import facade
from .ground import SNOW, grass, road, sidewalk
from .materials import Material
from .noise import fractal_noise, smooth_noise
from .raster import Buffers
from .samples import Look, Samples, blend
from .scene import Scene, Shape
from .shadows import ShadowMap
from .view import View

_TEXTURES: Dict[Material, Callable[[Samples], Look]] = {
    Material.ROAD: road,
    Material.SIDEWALK: sidewalk,
    Material.GRASS: grass,
    Material.FACADE: facade,
    Material.ROOF: objects.roof,
    Material.PLAIN: objects.plain,
    Material.WALL: objects.garden_wall,
    Material.FENCE: objects.plain,
    Material.HEDGE: objects.hedge,
    Material.POLE: objects.plain,
    Material.LAMP: objects.lamp,
    Material.TRAFFIC_LIGHT: objects.traffic_light,
    Material.SIGN: objects.sign,
    Material.SIGN_BACK: objects.plain,
    Material.TRUNK: objects.bark,
    Material.LEAF: objects.leaves,
    Material.BRANCH: objects.bark,
    Material.FOREST: objects.forest,
    Material.CAR_PAINT: objects.car_paint,
    Material.CAR_GLASS: objects.car_glass,
    Material.WHEEL: objects.wheel,
    Material.CAR_LIGHT: objects.car_light,
    Material.PERSON: objects.person,
}
# Their textures lay the snow themselves.
_OWN_SNOW = (Material.ROAD, Material.SIDEWALK, Material.GRASS, Material.LEAF)
_LAMP_COLOUR = np.float32([1.0, 0.68, 0.34])
_LAMP_REACH = 45.0


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


def shade(
    view: View, scene: Scene, buffers: Buffers, light: Lighting
) -> np.ndarray:
    """Radiance of every sample.

    Args:
        view: Rays through one point.
        scene: Primitives.
        buffers: What the rays meet.
        light: Light and season.

    Returns:
        (h, w, 3) float32 linear RGB, about 1 = white in the sun.
    """
    directions = np.stack(
        [np.broadcast_to(d, buffers.depth.shape) for d in view.direction], -1
    )
    length = np.sqrt((directions**2).sum(-1, keepdims=True))
    directions = directions / length
    out = np.empty((*buffers.depth.shape, 3), np.float32)
    met = buffers.object_id >= 0
    out[~met] = sky(directions[~met], light)
    material = np.full(met.shape, -1, np.int16)
    material[met] = scene.material[buffers.object_id[met]]
    pixel = np.float32(abs(view.xs[1] - view.xs[0]))
    for kind in Material:
        rows, cols = np.nonzero(material == kind)
        if len(rows):
            at = rows, cols
            samples = _samples(view, scene, buffers, at, pixel, light)
            away = buffers.depth[at] * length[at][:, 0]
            ray = directions[at]
            out[at] = _radiance(kind, samples, ray, away, light)
    return out


def _samples(
    view: View,
    scene: Scene,
    buffers: Buffers,
    at: tuple,
    pixel: np.float32,
    light: Lighting,
) -> Samples:
    ids = buffers.object_id[at]
    depth = buffers.depth[at]
    ray = np.stack([d[at] for d in view.direction], 1)
    xyz = depth[:, None] * ray + view.origin.astype(np.float32)
    first, second = scene.edge_a[ids], scene.edge_b[ids]
    normal = np.cross(first, second)
    shape = scene.shape[ids]
    offset = xyz - scene.corner[ids]
    upright = shape == Shape.CYLINDER
    normal[upright] = offset[upright] * [1, 1, 0]
    blob = shape == Shape.ELLIPSOID
    normal[blob] = offset[blob] / first[blob] ** 2
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    normal *= -np.sign((normal * ray).sum(1, keepdims=True))
    a, b = buffers.a[at], buffers.b[at]
    width = np.linalg.norm(first, axis=1).astype(np.float32)
    height = np.linalg.norm(second, axis=1).astype(np.float32)
    return Samples(
        a,
        b,
        a * width,
        b * height,
        width,
        height,
        xyz.astype(np.float32),
        normal.astype(np.float32),
        depth * pixel,
        scene.params[ids],
        ids,
        light.condition,
        light.moment,
    )


def _radiance(
    kind: Material,
    p: Samples,
    ray: np.ndarray,
    away: np.ndarray,
    light: Lighting,
) -> np.ndarray:
    c = light.condition
    look = _TEXTURES[kind](p)
    albedo = look.albedo
    if c.snow and kind not in _OWN_SNOW:
        drift = smooth_noise(p.xyz[:, 0] * 2, p.xyz[:, 1] * 2)
        cover = np.clip((p.normal[:, 2] - 0.35) * 4, 0, 1) * (0.8 + 0.2 * drift)
        moved = kind in (Material.CAR_PAINT, Material.CAR_GLASS)
        blend(albedo, c.snow * cover * (0.6 if moved else 1.0), SNOW)
    if c.wet and kind in (Material.ROAD, Material.SIDEWALK):
        albedo = albedo * np.float32(1 - 0.5 * c.wet)
    elif c.wet:
        albedo = albedo * np.float32(1 - 0.18 * c.wet)
    radiance = albedo * _incoming(kind, p, ray, away, light)
    if look.shine is not None:
        mirrored = ray - 2 * (ray * p.normal).sum(1, keepdims=True) * p.normal
        glance = 1 + (ray * p.normal).sum(1)
        share = look.shine * (0.35 + 0.65 * glance**2)
        blend(radiance, share.astype(np.float32), sky(mirrored, light) * 0.8)
    if look.glow is not None:
        radiance = radiance + look.glow
    haze = 1 - np.exp(-c.haze * away)
    low = np.float32(c.sky_low) * 0.9
    blend(radiance, haze.astype(np.float32), low)
    return radiance


def _incoming(
    kind: Material,
    p: Samples,
    ray: np.ndarray,
    away: np.ndarray,
    light: Lighting,
) -> np.ndarray:
    """(n, 3) light that falls on a surface."""
    c = light.condition
    up = 0.75 + 0.25 * p.normal[:, 2]
    # Less sky is seen from the foot of a wall.
    up *= 0.72 + 0.28 * np.clip(p.xyz[:, 2] / 2.5 + (p.normal[:, 2] > 0.5), 0, 1)
    if kind in (Material.ROAD, Material.SIDEWALK):
        for x0, y0, x1, y1 in light.car_plans:
            dx = np.maximum(x0 - p.xyz[:, 0], p.xyz[:, 0] - x1)
            dy = np.maximum(y0 - p.xyz[:, 1], p.xyz[:, 1] - y1)
            up *= np.clip(0.35 + 1.3 * np.maximum(dx, dy), 0.2, 1)
    total = up[:, None].astype(np.float32) * np.float32(c.ambient)
    if light.shadow is not None:
        sun = sun_direction(c).astype(np.float32)
        facing = np.clip(p.normal @ sun, 0, 1)
        if kind in (Material.LEAF, Material.FOREST, Material.HEDGE):
            facing = 0.35 + 0.65 * facing
        facing = facing * light.shadow.lit(p.xyz, p.normal)
        total = total + facing[:, None] * np.float32(c.sun)
    if c.lamps:
        total = total + _lamplight(p, light)
        total = total + _headlights(p, ray, away)
    return total


def _lamplight(p: Samples, light: Lighting) -> np.ndarray:
    total = np.zeros(len(p.xyz), np.float32)
    middle = p.xyz.mean(0)
    for lamp in light.lamps:
        offset = np.float32(lamp) - p.xyz
        square = (offset**2).sum(1)
        if square.min() > _LAMP_REACH**2 or np.hypot(*(middle - lamp)[:2]) > 90:
            continue
        distance = np.sqrt(square)
        facing = np.clip((p.normal * offset).sum(1) / distance, 0.08, 1)
        down = np.clip(offset[:, 2] / distance + 0.25, 0.03, 1)
        total += 16 * facing * down / (square + 6)
    return total[:, None] * _LAMP_COLOUR * np.float32(light.condition.lamps)


def _headlights(p: Samples, ray: np.ndarray, away: np.ndarray) -> np.ndarray:
    """The camera car's own lights, mostly below the horizon."""
    facing = np.clip(-(ray * p.normal).sum(1), 0.1, 1)
    cone = np.exp(-np.clip((ray[:, 2] + 0.02) / 0.035, 0, 5) ** 2)
    strength = 14 * facing * cone / (away**2 + 30)
    return strength[:, None] * np.float32([1.0, 0.93, 0.78])


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
    low, top = np.float32(c.sky_low), np.float32(c.sky_top)
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
        colour += (0.45 * near)[:, None] * np.float32(c.sun)
    return colour.astype(np.float32)
