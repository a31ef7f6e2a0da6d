"""From what is seen to how bright it is: texture, light, haze, sky."""

from __future__ import annotations

import numpy as np

from ..noise import smooth_noise
from ..scene.primitives import Material, Scene, Shape
from .lighting import Lighting, incoming, sky
from .raster import Buffers
from .rays import View
from .textures import TEXTURES
from .textures.ground import SNOW
from .textures.samples import Samples, blend, rgb

# Their textures lay the snow themselves.
_OWN_SNOW = (Material.ROAD, Material.SIDEWALK, Material.GRASS, Material.LEAF)


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
    out = np.empty((buffers.depth.size, 3), np.float32)
    rays = np.stack(
        [np.broadcast_to(d, buffers.depth.shape) for d in view.direction], -1
    ).reshape(-1, 3)
    ids = buffers.object_id.ravel()
    # Sky last: it has no object.
    material = np.where(ids < 0, len(Material), scene.material[ids])
    order = np.argsort(material.astype(np.uint8), kind='stable')
    ends = np.cumsum(np.bincount(material, minlength=len(Material) + 1))
    pixel = np.float32(abs(view.xs[1] - view.xs[0]))
    for kind, start, end in zip(Material, [0, *ends], ends):
        if end > start:
            at = order[start:end]
            ray = rays[at]
            length = np.sqrt((ray * ray).sum(1, keepdims=True))
            samples = _samples(view, scene, buffers, at, ray, pixel, light)
            away = samples.pixel / pixel * length[:, 0]
            out[at] = _radiance(kind, samples, ray / length, away, light)
    at = order[ends[-2] :]
    ray = rays[at]
    length = np.sqrt((ray * ray).sum(1, keepdims=True))
    out[at] = sky(ray / length, light)
    return out.reshape(*buffers.depth.shape, 3)


def _samples(
    view: View,
    scene: Scene,
    buffers: Buffers,
    at: np.ndarray,
    ray: np.ndarray,
    pixel: np.float32,
    light: Lighting,
) -> Samples:
    """Gather what a texture needs to know about the samples `at`."""
    ids = buffers.object_id.ravel()[at]
    depth = buffers.depth.ravel()[at]
    xyz = depth[:, None] * ray + view.origin.astype(np.float32)
    normal = scene.normal.astype(np.float32)[ids]
    shape = scene.shape[ids]
    for bent in (Shape.CYLINDER, Shape.ELLIPSOID):
        mine = shape == bent
        if mine.any():
            offset = xyz[mine] - scene.corner[ids[mine]]
            if bent == Shape.CYLINDER:
                offset[:, 2] = 0
            else:
                offset /= scene.edge_a[ids[mine]] ** 2
            offset /= np.linalg.norm(offset, axis=1, keepdims=True)
            normal[mine] = offset
    normal *= -np.sign((normal * ray).sum(1, keepdims=True))
    a, b = buffers.a.ravel()[at], buffers.b.ravel()[at]
    width, height = scene.length_a[ids], scene.length_b[ids]
    return Samples(
        a,
        b,
        a * width,
        b * height,
        width,
        height,
        xyz,
        normal,
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
    look = TEXTURES[kind](p)
    albedo = look.albedo
    if c.snow and kind not in _OWN_SNOW:
        drift = smooth_noise(p.xyz[:, 0] * 2, p.xyz[:, 1] * 2)
        cover = np.clip((p.normal[:, 2] - 0.35) * 4, 0, 1) * (
            0.8 + 0.2 * drift
        )
        moved = kind in (Material.CAR_PAINT, Material.CAR_GLASS)
        blend(albedo, c.snow * cover * (0.6 if moved else 1.0), SNOW)
    if c.wet and kind in (Material.ROAD, Material.SIDEWALK):
        albedo = albedo * np.float32(1 - 0.5 * c.wet)
    elif c.wet:
        albedo = albedo * np.float32(1 - 0.18 * c.wet)
    radiance = albedo * incoming(kind, p, ray, away, light)
    if look.shine is not None:
        mirrored = ray - 2 * (ray * p.normal).sum(1, keepdims=True) * p.normal
        glance = 1 + (ray * p.normal).sum(1)
        share = look.shine * (0.35 + 0.65 * glance**2)
        blend(radiance, share.astype(np.float32), sky(mirrored, light) * 0.8)
    if look.glow is not None:
        radiance = radiance + look.glow
    haze = 1 - np.exp(-c.haze * away)
    low = rgb(c.sky_low) * 0.9
    blend(radiance, haze.astype(np.float32), low)
    return radiance
