"""Road, sidewalk and grass in every season."""

from __future__ import annotations

import numpy as np

from ...noise import fractal_noise, hash01, smooth_noise
from .samples import Look, Samples, blend, detail, paint, rgb

SNOW = (0.86, 0.88, 0.92)
_LITTER = rgb([[0.50, 0.24, 0.05], [0.55, 0.38, 0.07], [0.28, 0.11, 0.04]])


def road(p: Samples) -> Look:
    """Asphalt with patches and markings; params[3]: 1 along a, 2 along b."""
    x, y = p.xyz[:, 0], p.xyz[:, 1]
    albedo = p.colour.copy()
    albedo *= (0.72 + 0.5 * fractal_noise(x * 0.25, y * 0.4, 4))[:, None]
    grain = smooth_noise(x * 16, y * 16) - 0.5
    albedo *= (1 + 0.35 * grain * detail(p.pixel, 0.06))[:, None]
    cell = hash01(np.floor(x / 6.3), np.floor(y / 1.9))
    patch = (cell < 0.10) & (x % 6.3 < 3.1 + 20 * cell)
    albedo *= np.where(patch, 0.68, 1.0).astype(np.float32)[:, None]
    hole = np.hypot((x % 17.0) - 8, (y + 40.9) % 5.5 - 2.7) < 0.33
    paint(albedo, hole, (0.11, 0.11, 0.11))
    along = p.params[:, 3] == 1
    side = np.abs(p.t - p.height / 2)
    worn = 0.9 * np.clip(2.2 * fractal_noise(x * 1.3, y * 1.3, 3), 0.25, 1)
    dash = (side < 0.07) & (p.s % 6 < 3.2)
    parking = (np.abs(side - 3.4) < 0.06) | (
        (side > 3.4) & (p.s % 5.4 < 0.1) & (side < 5.4)
    )
    mark = along & (dash | parking)
    zebra = ~along & (p.s % 1.1 < 0.5)
    near_end = np.minimum(p.t, p.height - p.t)
    zebra &= (near_end > 0.6) & (near_end < 3.2)
    # params[3] == 2: the zebra lies where a side street meets the street.
    zebra &= np.abs(np.abs(y) - 7.3) < 1.5
    shown = mark | zebra
    blend(albedo, shown * worn, (0.72, 0.72, 0.70))
    gutter = along & (side > 5.1)
    albedo *= np.where(gutter, 0.75, 1.0).astype(np.float32)[:, None]
    _litter(p, albedo, np.where(along, np.clip(side - 2.5, 0, 2.5), 0.6) / 2)
    snow = p.condition.snow
    if snow:
        lane = np.abs(np.abs(side - 1.75) - 0.75)
        rut = np.where(along, lane, np.abs(np.abs(p.s - 3.5) - 0.8))
        depth = fractal_noise(x * 0.3, y * 1.1, 4)
        cover = np.clip((rut - 0.22) * 3 + (depth - 0.45) * 2.5, 0, 1)
        dirty = rgb(SNOW) * (0.62 + 0.38 * depth)[:, None]
        blend(albedo, snow * (0.12 + 0.85 * cover), dirty)
    return Look(albedo)


def sidewalk(p: Samples) -> Look:
    """Slabs with joints; the side of the box is the kerb."""
    x, y = p.xyz[:, :2].T
    albedo = p.colour.copy()
    flat = p.normal[:, 2] > 0.5
    slab = hash01(np.floor(x / 0.6), np.floor(y / 0.6))
    albedo *= (0.88 + 0.2 * slab)[:, None]
    joint = (x % 0.6 < 0.025) | (y % 0.6 < 0.025)
    albedo *= (1 - 0.4 * joint * detail(p.pixel, 0.05))[:, None]
    albedo *= (0.8 + 0.4 * fractal_noise(x * 0.5, y * 0.5, 3))[:, None]
    kerb = (np.abs(y) < 5.68) | ~flat
    blend(albedo, 0.7 * kerb, (0.45, 0.45, 0.44))
    _litter(p, albedo, 0.6 * flat)
    snow = p.condition.snow
    if snow:
        trodden = fractal_noise(x * 1.5, y * 1.5, 3)
        path = np.clip(1.2 - np.abs(np.abs(y) - 6.9), 0, 1)
        cover = np.clip(1.5 - 0.9 * path - 0.8 * trodden, 0.2, 1)
        blend(albedo, snow * cover * np.where(flat, 1, 0.3), SNOW)
    return Look(albedo)


def grass(p: Samples) -> Look:
    """Lawn: green, brown with leaves, or under snow."""
    x, y = p.xyz[:, 0], p.xyz[:, 1]
    season = p.condition.leaf_colour
    green = p.colour * (1 - season) + season * rgb([0.20, 0.17, 0.06])
    patchy = fractal_noise(x * 0.6, y * 0.6, 4)
    blades = smooth_noise(x * 9, y * 9) - 0.5
    albedo = green * (0.55 + 0.9 * patchy)[:, None]
    albedo *= (1 + 0.8 * blades * detail(p.pixel, 0.15))[:, None]
    blend(albedo, 0.5 * (patchy > 0.66), (0.17, 0.13, 0.08))
    _litter(p, albedo, np.full(len(x), 0.9, np.float32))
    if p.condition.snow:
        cover = np.clip(1.35 - patchy, 0, 1)
        blend(albedo, p.condition.snow * cover, SNOW)
    return Look(albedo.astype(np.float32))


def _litter(p: Samples, albedo: np.ndarray, share: np.ndarray) -> None:
    """Scatter fallen leaves."""
    if not p.condition.litter:
        return
    x, y = p.xyz[:, 0], p.xyz[:, 1]
    heap = fractal_noise(x * 0.4 + 9, y * 0.4, 3)
    cell = np.floor(x / 0.11), np.floor(y / 0.11)
    chance = np.clip(share, 0, 1) * p.condition.litter * (1.6 * heap - 0.35)
    near = detail(p.pixel, 0.2)
    there = hash01(*cell) < chance
    # Beyond the size of a leaf its share of the ground is its weight.
    weight = near * there + (1 - near) * np.clip(chance, 0, 1)
    kind = (hash01(cell[1], cell[0]) * 3).astype(np.int32)
    tone = np.where(
        (near > 0.5)[:, None], _LITTER[kind], _LITTER.mean(0)[None]
    )
    blend(albedo, weight.astype(np.float32), tone)
