"""House fronts: windows, doors, shops, bricks, timber."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...noise import fractal_noise, hash01
from ...scene import houses
from .samples import Look, Samples, blend, detail, paint, rgb

_TRIM = rgb(
    [
        [0.75, 0.74, 0.70],
        [0.10, 0.20, 0.13],
        [0.30, 0.12, 0.07],
        [0.16, 0.22, 0.33],
    ]
)
_SIGNS = rgb(
    [
        [0.55, 0.05, 0.05],
        [0.05, 0.13, 0.42],
        [0.06, 0.28, 0.12],
        [0.75, 0.55, 0.08],
        [0.08, 0.08, 0.09],
        [0.70, 0.68, 0.62],
    ]
)
_LAMPLIGHT = rgb([1.0, 0.72, 0.36])
_SILL = 0.9


@dataclass
class _Grid:
    """Where a point lies in the raster of windows; lengths in metres."""

    column: np.ndarray
    floor: np.ndarray
    dx: np.ndarray
    dy: np.ndarray
    width: np.ndarray
    height: np.ndarray
    inside: np.ndarray


def facade(p: Samples) -> Look:
    """Texture of a wall with windows; s to the right, t upwards."""
    flags = p.params[:, 7].astype(np.int32)
    seed = p.params[:, 10].astype(np.int32)
    trim = _TRIM[p.params[:, 11].astype(np.int32)]
    up = p.t - 0.2
    shop = (flags & houses.SHOP) > 0
    ground = np.where(shop, p.params[:, 6] + 0.6, 0).astype(np.float32)
    grid = _windows(p, flags, up, ground)
    albedo = _wall(p, flags, up, grid, ground)
    glow = np.zeros_like(albedo)
    shine = np.zeros(len(albedo), np.float32)
    _draw_windows(p, flags, seed, trim, grid, albedo, glow, shine)
    door = (flags & houses.DOOR) > 0
    if door.any():
        gap = np.abs(p.s - p.params[:, 9] * p.width)
        panel = (np.abs(gap - 0.25) < 0.15) & (np.abs(up % 1 - 0.5) < 0.35)
        at_door = door & (up < 2.3)
        paint(albedo, at_door & (gap < 0.72), (0.55, 0.53, 0.50))
        leaf = at_door & (gap < 0.58) & (up < 2.15)
        np.copyto(albedo, trim * 0.7, where=leaf[:, None])
        shade = np.where(leaf & panel, 0.7, 1.0).astype(np.float32)
        albedo *= shade[:, None]
        shine[leaf] = 0
        glow[leaf] = 0
    if shop.any():
        _draw_shop(p, shop, seed, up, albedo, glow, shine)
    return Look(albedo, glow, shine)


def _windows(
    p: Samples, flags: np.ndarray, up: np.ndarray, ground: np.ndarray
) -> _Grid:
    pitch, floor_height = p.params[:, 3], p.params[:, 6]
    width, height = p.params[:, 4], p.params[:, 5]
    count = np.floor((p.width - 0.6) / pitch)
    column, dx = np.divmod(p.s - (p.width - count * pitch) / 2, pitch)
    dx = dx - pitch / 2
    floor, dy = np.divmod(up - ground, floor_height)
    dy = dy - _SILL
    fits = ground + floor * floor_height + _SILL + height < p.height - 0.5
    inside = (column >= 0) & (column < count) & (floor >= 0) & fits
    inside &= (flags & houses.BLIND) == 0
    # No window where the door is.
    door = (flags & houses.DOOR) > 0
    middle = p.s - dx
    taken = np.abs(middle - p.params[:, 9] * p.width) < width / 2 + 0.8
    inside &= ~(door & (floor == 0) & taken)
    return _Grid(column, floor, dx, dy, width, height, inside)


def _wall(
    p: Samples,
    flags: np.ndarray,
    up: np.ndarray,
    grid: _Grid,
    ground: np.ndarray,
) -> np.ndarray:
    """Plaster, bricks or timber frame, without openings."""
    albedo = p.colour.copy()
    seed = p.params[:, 10]
    rough = fractal_noise(p.s * 0.5 + seed, up * 0.35 + seed, 4)
    albedo *= (0.80 + 0.4 * rough)[:, None]
    streak = fractal_noise(p.s * 2.5 + seed, up * 0.12, 2)
    albedo *= (0.90 + 0.2 * streak)[:, None]
    brick = (flags & houses.BRICK) > 0
    if brick.any():
        row, v = np.divmod(up, 0.11)
        col, u = np.divmod(p.s + 0.13 * (row % 2), 0.26)
        tone = 0.75 + 0.5 * hash01(row, col, p.params[:, 10])
        seen = brick * detail(p.pixel, 0.09)
        albedo *= (1 + seen * (tone - 1))[:, None]
        joint = seen * ((v < 0.02) | (u < 0.02))
        blend(albedo, joint * 0.7, (0.5, 0.48, 0.45))
    timber = (flags & houses.TIMBER) > 0
    if timber.any():
        pitch = p.params[:, 3]
        half = pitch / 2
        beam = np.abs(np.abs(grid.dx) - half) < 0.11
        level = grid.dy + _SILL
        beam |= (level < 0.22) & (up > 1)
        slope = np.abs(grid.dx) * p.params[:, 6] / half
        odd = hash01(grid.column, grid.floor, seed) < 0.4
        beam |= odd & (np.abs(slope - level) < 0.22)
        paint(albedo, timber & beam & (up > ground), (0.09, 0.055, 0.035))
    cornice = (flags & houses.CORNICE) > 0
    band = (np.abs(grid.dy + _SILL) < 0.12) & (up > 1)
    blend(albedo, 0.6 * (cornice & band), (0.78, 0.76, 0.72))
    eaves = up > p.height - 0.55
    blend(albedo, 0.5 * eaves, (0.45, 0.42, 0.38))
    blend(albedo, 0.6 * (up < 0.55), (0.28, 0.27, 0.26))
    return albedo


def _draw_windows(
    p: Samples,
    flags: np.ndarray,
    seed: np.ndarray,
    trim: np.ndarray,
    grid: _Grid,
    albedo: np.ndarray,
    glow: np.ndarray,
    shine: np.ndarray,
) -> None:
    half = grid.width / 2
    ax = np.abs(grid.dx)
    inner = np.minimum(half - ax, np.minimum(grid.dy, grid.height - grid.dy))
    ring = grid.inside & (inner > -0.13)
    blend(albedo, 0.55 * ring, (0.74, 0.72, 0.68))
    sill = grid.inside & (ax < half + 0.15) & (np.abs(grid.dy + 0.1) < 0.06)
    paint(albedo, sill, (0.5, 0.49, 0.47))
    if p.condition.snow:
        ledge = grid.inside & (ax < half + 0.15)
        ledge &= np.abs(grid.dy - 0.0) < 0.07
        paint(albedo, ledge, (0.88, 0.89, 0.92))
    beside = (ax > half + 0.03) & (ax < half + 0.5)
    beside &= (grid.dy > -0.03) & (grid.dy < grid.height + 0.03)
    shutter = grid.inside & beside & ((flags & houses.SHUTTERS) > 0)
    slats = 0.75 + 0.25 * (np.sin(grid.dy * 55) > 0) * detail(p.pixel, 0.05)
    np.copyto(albedo, trim * slats[:, None], where=shutter[:, None])
    pane = grid.inside & (inner > 0)
    frame = pane & (
        (inner < 0.06)
        | (ax < 0.035)
        | (np.abs(grid.dy - 0.66 * grid.height) < 0.03)
    )
    frame_colour = np.where((p.params[:, 11] == 2)[:, None], trim, _TRIM[0])
    glass = pane & ~frame
    paint(albedo, glass, (0.030, 0.036, 0.042))
    curtain = hash01(grid.column, grid.floor, seed)
    drawn = (curtain < 0.35) & (ax > half * 0.45)
    drawn |= (curtain > 0.75) & (grid.dy > grid.height * 0.45)
    blend(albedo, 0.75 * (glass & drawn), (0.42, 0.40, 0.36))
    np.copyto(albedo, frame_colour, where=frame[:, None])
    shine[glass] = 0.45
    if p.condition.lamps:
        chance = hash01(grid.column, grid.floor, seed, p.moment)
        lit = glass & (chance < 0.28)
        warm = 0.35 + 0.5 * hash01(grid.column, seed, p.moment)
        warm = warm * np.where(drawn, 0.6, 1.0) * p.condition.lamps
        glow += (lit * warm)[:, None] * _LAMPLIGHT


def _draw_shop(
    p: Samples,
    shop: np.ndarray,
    seed: np.ndarray,
    up: np.ndarray,
    albedo: np.ndarray,
    glow: np.ndarray,
    shine: np.ndarray,
) -> None:
    """Shop window, its door, and the sign above."""
    ground = p.params[:, 6] + 0.6
    inside = shop & (p.s > 0.35) & (p.s < p.width - 0.35)
    level = shop & (up < ground - 0.15)
    paint(albedo, level, (0.24, 0.23, 0.22))
    pane = inside & (up > 0.55) & (up < 2.45)
    door = np.abs(p.s - p.params[:, 9] * p.width) < 0.55
    pane |= inside & door & (up > 0.1) & (up < 2.3)
    _, u = np.divmod(p.s, 1.7)
    frame = pane & ((u < 0.08) | (np.abs(up - 2.0) < 0.04))
    goods = hash01(np.floor(p.s * 3.1), np.floor(up * 2.7), seed)
    hue = hash01(np.floor(p.s * 3.1), seed)[:, None]
    things = 0.04 + 0.30 * goods[:, None] * rgb([1, 0.8, 0.6]) * (0.5 + hue)
    np.copyto(albedo, np.float32(things), where=pane[:, None])
    shine[level] = 0
    shine[pane] = 0.22
    glow[level] = 0
    paint(albedo, frame, (0.12, 0.11, 0.10))
    sign = _SIGNS[p.params[:, 8].astype(np.int32)]
    board = inside & (up > 2.6) & (up < 3.3)
    np.copyto(albedo, sign, where=board[:, None])
    cell, x = np.divmod(p.s - 0.6, 0.36)
    column, row = np.floor(x / 0.075), np.floor((up - 2.74) / 0.085)
    stroke = hash01(cell, column, row, p.params[:, 8]) < 0.62
    letters = board & stroke & (column < 4) & (row >= 0) & (row < 5)
    letters &= hash01(cell, p.params[:, 8]) < 0.85
    dark = p.params[:, 8] >= 5
    ink = np.where(dark[:, None], np.float32(0.06), np.float32(0.8))
    blend(albedo, letters * 0.9, ink)
    lamps = p.condition.lamps
    if lamps:
        is_open = hash01(seed, p.moment) < 0.5
        bulbs = np.where(is_open, 0.8, 0.12) * (0.5 + goods) * lamps
        light = np.where(pane & ~frame, bulbs, 0)
        glow += light[:, None] * rgb([1, 0.88, 0.66])
        glow += (board * 0.35 * lamps)[:, None] * albedo
