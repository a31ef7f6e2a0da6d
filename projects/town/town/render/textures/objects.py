"""Textures of everything that is neither ground nor facade."""

from __future__ import annotations

import numpy as np

from ...noise import fractal_noise, hash01, smooth_noise
from .ground import SNOW
from .samples import Look, Samples, blend, detail, paint, rgb

_AUTUMN = rgb(
    [
        [0.50, 0.19, 0.03],
        [0.58, 0.38, 0.04],
        [0.36, 0.09, 0.03],
        [0.30, 0.26, 0.05],
    ]
)


def plain(p: Samples) -> Look:
    """One colour with a little wear."""
    wear = fractal_noise(p.s * 0.8 + p.params[:, 0] * 50, p.t * 0.8, 3)
    return Look(p.colour * (0.82 + 0.36 * wear)[:, None])


def roof(p: Samples) -> Look:
    """Rows of tiles."""
    row, v = np.divmod(p.t, 0.33)
    col = np.floor(p.s / 0.28 + 0.5 * (row % 2))
    tone = 0.85 + 0.3 * hash01(row, col)
    seen = detail(p.pixel, 0.3)
    albedo = p.colour * (1 + seen * (tone - 1))[:, None]
    albedo *= (1 - 0.35 * seen * (v < 0.06))[:, None]
    moss = fractal_noise(p.s * 0.3, p.t * 0.3, 3)
    albedo *= (0.75 + 0.5 * moss)[:, None]
    return Look(albedo)


def garden_wall(p: Samples) -> Look:
    """Blocks with joints and a cap."""
    row, v = np.divmod(p.t, 0.2)
    col, u = np.divmod(p.s + 0.2 * (row % 2), 0.4)
    albedo = p.colour * (0.75 + 0.5 * hash01(row, col))[:, None]
    joint = ((v < 0.025) | (u < 0.025)) * detail(p.pixel, 0.12)
    blend(albedo, 0.6 * joint, (0.5, 0.48, 0.45))
    cap = (p.t > 0.9) & (np.abs(p.normal[:, 2]) < 0.5)
    blend(albedo, 0.6 * cap, (0.5, 0.49, 0.47))
    return Look(albedo)


def hedge(p: Samples) -> Look:
    """Small leaves; brown twigs in winter."""
    c = p.condition
    x, y, z = p.xyz.T
    leaf = smooth_noise((x + y) * 14, z * 14)
    clump = fractal_noise((x + y) * 2, z * 2, 3)
    bare = 1.0 if c.leaves == 0 else 0.3 * c.leaf_colour
    albedo = p.colour * (1 - bare) + bare * rgb([0.13, 0.09, 0.06])
    albedo = albedo * (0.4 + 0.7 * leaf + 0.5 * clump)[:, None]
    if c.snow:
        blend(albedo, c.snow * 0.6 * (clump > 0.55), SNOW)
    return Look(albedo)


def lamp(p: Samples) -> Look:
    """Head of a street lamp; params[3] = 1: the light itself."""
    light = p.params[:, 3] * p.condition.lamps
    glow = light[:, None] * rgb([3.5, 2.6, 1.5])
    return Look(p.colour.copy(), glow)


def traffic_light(p: Samples) -> Look:
    """Three lamps on each side of a dark box; one of them is on."""
    on = (hash01(np.floor(p.xyz[:, 0] / 9), p.moment) * 3).astype(np.int32)
    third, v = np.divmod(p.b * 3, 1)
    disc = np.hypot((p.a - 0.5), (v - 0.5)) < 0.34
    disc &= np.abs(p.normal[:, 2]) < 0.5
    # From below: green, amber, red.
    lamps = rgb([[0.1, 0.9, 0.45], [1.0, 0.55, 0.05], [1.0, 0.06, 0.04]])
    colour = lamps[np.clip(third, 0, 2).astype(np.int32)]
    albedo = p.colour.copy()
    np.copyto(albedo, colour * 0.25, where=disc[:, None])
    glow = colour * (disc & (third == on))[:, None] * 0.9
    return Look(albedo, glow)


def sign(p: Samples) -> Look:
    """Traffic signs of five kinds, params[3]."""
    kind = p.params[:, 3].astype(np.int32)
    x, y = p.a - 0.5, p.b - 0.5
    r = np.hypot(x, y)
    white, red, blue = (0.8, 0.8, 0.8), (0.62, 0.03, 0.04), (0.03, 0.12, 0.5)
    albedo = np.full((len(x), 3), 0.8, np.float32)
    ban, warn, park = kind == 0, kind == 1, kind == 2
    paint(albedo, ban & (r > 0.36), red)
    digits = (np.abs(np.abs(x) - 0.11) < 0.035) | (
        np.abs(np.abs(y) - 0.13) < 0.03
    )
    paint(
        albedo,
        ban & digits & (np.abs(x) < 0.15) & (np.abs(y) < 0.17),
        (0, 0, 0),
    )
    edge = np.minimum(p.b, (1 - p.b - np.abs(2 * p.a - 1)) * 0.6)
    paint(albedo, warn & (edge < 0.09), red)
    paint(
        albedo,
        warn & (np.abs(x) < 0.03) & (np.abs(p.b - 0.3) < 0.16),
        (0, 0, 0),
    )
    paint(albedo, park & (r < 9), blue)
    letter = (np.abs(x + 0.13) < 0.05) & (np.abs(y) < 0.32)
    letter |= np.abs(np.hypot(x + 0.02, y - 0.14) - 0.15) < 0.045
    paint(albedo, park & letter, white)
    stop = kind == 3
    paint(albedo, stop, red)
    paint(albedo, stop & (np.abs(y) < 0.09) & (np.abs(x) < 0.36), white)
    prio = kind == 4
    diamond = np.abs(x) + np.abs(y)
    paint(albedo, prio & (diamond < 0.42), (0.85, 0.60, 0.05))
    return Look(albedo)


def bark(p: Samples) -> Look:
    """Trunks and branches; wind-blown snow in winter."""
    x, y, z = p.xyz.T
    rough = smooth_noise((x - y) * 14, z * 3)
    albedo = p.colour * (0.6 + 0.8 * rough)[:, None]
    if p.condition.snow:
        side = smooth_noise((x + 2 * y) * 3, z * 4) > 0.62
        blend(albedo, 0.75 * p.condition.snow * side, SNOW)
    return Look(albedo)


def leaves(p: Samples) -> Look:
    """Crowns; params[3] seed, [4] hue in autumn, [5] = 1 evergreen."""
    c = p.condition
    clump = fractal_noise(p.a * 1.5, p.b * 1.5, 3)
    fine = smooth_noise(p.a * 9 + 5, p.b * 9)
    kind = np.clip(p.params[:, 4] * 4, 0, 3).astype(np.int32)
    turned = c.leaf_colour * (1 - p.params[:, 5])
    base = p.colour + turned[:, None] * (_AUTUMN[kind] - p.colour)
    albedo = base * (0.45 + 0.55 * clump + 0.6 * fine)[:, None]
    if c.snow:
        top = np.clip(1.6 * p.normal[:, 2] + 1.2 * (clump - 0.45), 0, 1)
        blend(albedo, c.snow * top, SNOW)
    return Look(albedo.astype(np.float32))


def forest(p: Samples) -> Look:
    """Distant trees."""
    c = p.condition
    clump = fractal_noise(p.s * 0.5, p.t * 0.5, 4)
    turned = c.leaf_colour * np.float32(0.8)
    kind = (hash01(np.floor(p.s / 4)) * 4).astype(np.int32)
    base = p.colour + turned * (_AUTUMN[kind] * 0.7 - p.colour)
    if c.leaves == 0:
        base = np.broadcast_to(rgb([0.14, 0.12, 0.11]), base.shape)
    albedo = base * (0.4 + 1.2 * clump)[:, None]
    if c.snow:
        blend(albedo, c.snow * 0.5 * (clump > 0.55), SNOW)
    return Look(albedo.astype(np.float32))


def car_paint(p: Samples) -> Look:
    """Body of a car; params[3] = 1: has sides with doors, bumpers."""
    albedo = p.colour.copy()
    side = p.params[:, 3] == 1
    low = side & (p.t < 0.16) & (np.abs(p.normal[:, 2]) < 0.5)
    paint(albedo, low, (0.05, 0.05, 0.05))
    long = side & (p.width > 3) & (np.abs(p.normal[:, 2]) < 0.5)
    gap = np.abs((p.a - 0.3) % 0.24 - 0.12) < 0.004
    albedo *= np.where(long & gap & (p.t > 0.16), 0.4, 1)[:, None]
    return Look(albedo.astype(np.float32), shine=np.full(len(albedo), 0.12))


def car_glass(p: Samples) -> Look:
    """Windows; params[3] = 2: wind screen, else side with pillars."""
    albedo = np.full((len(p.a), 3), 0.025, np.float32)
    left = p.params[:, 10] * p.b
    right = 1 - p.params[:, 11] * p.b
    rim = np.minimum(p.a - left, right - p.a) * p.width < 0.07
    rim |= (p.height - p.t) < 0.07
    rim |= (p.params[:, 3] == 0) & (np.abs(p.a - 0.5) * p.width < 0.05)
    np.copyto(albedo, p.colour, where=rim[:, None])
    return Look(albedo, shine=np.where(rim, 0.1, 0.4))


def wheel(p: Samples) -> Look:
    """Tyre and rim."""
    r = np.hypot(p.a - 0.5, p.b - 0.5)
    albedo = np.full((len(r), 3), 0.02, np.float32)
    paint(albedo, r < 0.3, (0.35, 0.35, 0.36))
    return Look(albedo)


def car_light(p: Samples) -> Look:
    """Head lights (params[3] = 1) and tail lights."""
    front = p.params[:, 3] == 1
    albedo = np.where(
        front[:, None], rgb([0.7, 0.7, 0.7]), rgb([0.45, 0.02, 0.02])
    )
    glow = np.where(front[:, None], rgb([1, 0.95, 0.8]), rgb([0.9, 0, 0]))
    return Look(albedo, glow * np.float32(1.5 * p.condition.lamps))


def person(p: Samples) -> Look:
    """Jacket, trousers, head."""
    albedo = p.colour.copy()
    lower = p.b < 0.5
    np.copyto(albedo, p.params[:, 4:7], where=lower[:, None])
    paint(albedo, p.b > 0.83, (0.50, 0.32, 0.24))
    paint(albedo, p.b > 0.95, (0.07, 0.05, 0.03))
    paint(albedo, p.b < 0.04, (0.03, 0.03, 0.03))
    fold = smooth_noise(p.a * 6 + p.colour[:, 0] * 90, p.b * 9)
    return Look(albedo * (0.75 + 0.5 * fold)[:, None])
