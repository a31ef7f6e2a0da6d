"""What pictures of label maps and pairs are made of; RGB throughout."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from ..datasets.palette import IGNORE_COLOUR

AGREE = (40, 220, 60)
DISAGREE = (240, 40, 40)
UNKNOWN = (255, 210, 0)
SHIFT = 4  # cv2 draws at 1 / 2**SHIFT of a pixel


def colour_label_map(label_map: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Look up the colour of every pixel's label.

    One table look-up however many clusters there are.

    Args:
        label_map: (H, W) ids in [0, K); -1, 65535 and any other id outside
            are drawn black.
        palette: (K, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    table = np.concatenate([palette, [IGNORE_COLOUR]]).astype(np.uint8)
    labels = label_map.astype(np.int64)
    outside = (labels < 0) | (labels >= len(palette))
    return table[np.where(outside, len(palette), labels)]


def blend_label_map(
    image: np.ndarray,
    label_map: np.ndarray,
    palette: np.ndarray,
    alpha: float,
) -> np.ndarray:
    """Lay a label map over a photo.

    Args:
        image: (H, W, 3) uint8 RGB.
        label_map: (h, w) ids; resized to the photo (nearest) if it differs.
        palette: (K, 3) uint8 RGB.
        alpha: Weight of the label map in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = image.shape[:2]
    if label_map.shape != (height, width):
        rows = (np.arange(height) + 0.5) * label_map.shape[0] / height
        columns = (np.arange(width) + 0.5) * label_map.shape[1] / width
        label_map = label_map[rows.astype(int)[:, None], columns.astype(int)]
    colours = colour_label_map(label_map, palette)
    return cv2.addWeighted(image, 1 - alpha, colours, alpha, 0)


def outline(image: np.ndarray) -> np.ndarray:
    """Black edges of a photo on white.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(cv2.GaussianBlur(grey, (5, 5), 0), 60, 160)
    return cv2.cvtColor(255 - edges, cv2.COLOR_GRAY2RGB)


def agreement_colours(agree: np.ndarray | None, number: int) -> np.ndarray:
    """Green where labels agree, red where not, yellow where not known.

    Args:
        agree: (N,) bool or None.
        number: N.

    Returns:
        (N, 3) uint8 RGB.
    """
    if agree is None:
        return np.full((number, 3), UNKNOWN, np.uint8)
    return np.where(agree[:, None], AGREE, DISAGREE).astype(np.uint8)


def draw_dots(
    image: np.ndarray, points: np.ndarray, colours: np.ndarray, radius: float
) -> None:
    """Draw dots with a dark rim into an image, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (N, 2) x, y in pixels, 0 = centre of the first.
        colours: (N, 3) uint8 RGB.
        radius: Radius in pixels, without the rim.
    """
    rim = max(radius / 3, 0.75)
    # All rims first: no rim covers the colour of another dot.
    for size, fill in ((radius + rim, None), (radius, colours)):
        for i, point in enumerate(points):
            colour = (15, 15, 15) if fill is None else fill[i].tolist()
            cv2.circle(
                image,
                _fixed(point),
                round(size * 2**SHIFT),
                colour,
                -1,
                cv2.LINE_AA,
                SHIFT,
            )


def draw_lines(
    image: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    colours: np.ndarray,
    thickness: int = 1,
) -> None:
    """Draw thin lines into an image, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        starts: (N, 2) x, y of one end.
        ends: (N, 2) x, y of the other.
        colours: (N, 3) uint8 RGB.
        thickness: In pixels.
    """
    for start, end, colour in zip(starts, ends, colours):
        cv2.line(
            image,
            _fixed(start),
            _fixed(end),
            colour.tolist(),
            thickness,
            cv2.LINE_AA,
            SHIFT,
        )


def caption_bar(lines: Sequence[str], width: int, height: int) -> np.ndarray:
    """Write lines of text in a dark bar; text too wide is made smaller.

    Args:
        lines: Text, ASCII.
        width: Width of the bar in pixels.
        height: Height of one line in pixels.

    Returns:
        (len(lines) * height, width, 3) uint8 RGB.
    """
    bar = np.full((len(lines) * height, width, 3), 24, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    margin = max(height // 4, 2)
    for i, line in enumerate(lines):
        # Hershey letters are 22 units high at scale 1.
        scale = 0.5 * height / 22
        (length, _), _ = cv2.getTextSize(line, font, scale, 1)
        scale *= min(1.0, (width - 2 * margin) / max(length, 1))
        base = (margin, round((i + 0.68) * height))
        cv2.putText(
            bar, line, base, font, scale, (235, 235, 235), 1, cv2.LINE_AA
        )
    return bar


def spread_over(points: np.ndarray, number: int) -> np.ndarray:
    """Choose points spread over the image, the same ones every time.

    Args:
        points: (N, 2) x, y.
        number: How many at most.

    Returns:
        (min(N, number),) int64 indices.
    """
    if len(points) <= number:
        return np.arange(len(points))
    if number == 0:
        return np.zeros(0, np.int64)
    # The columns of a grid one after another, each from top to bottom.
    columns = max(1, math.isqrt(number))
    rank = np.argsort(np.argsort(points[:, 0], kind='stable'))
    column = rank * columns // len(points)
    order = np.lexsort((points[:, 1], column))
    steps = np.linspace(0, len(points) - 1, number)
    return order[steps.round().astype(np.int64)]


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """Point in cv2's fixed-point pixels."""
    x, y = np.rint(np.asarray(point) * 2**SHIFT).astype(int).tolist()
    return x, y
