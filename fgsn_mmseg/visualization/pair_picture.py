from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..geometry import resize_points
from .drawing import (
    agreement_colours,
    blend_label_map,
    caption_bar,
    draw_dots,
    draw_lines,
    outline,
    spread_over,
)

GAP = 6  # pixels between the panels


def draw_pair(
    images: Sequence[np.ndarray],
    points: Sequence[np.ndarray],
    palette: np.ndarray,
    label_maps: Sequence[np.ndarray] | None = None,
    agree: np.ndarray | None = None,
    caption: Sequence[str] = (),
    height: int = 480,
    alpha: float = 0.6,
    max_points: int = 200,
    max_lines: int = 16,
    edges: bool = False,
) -> np.ndarray:
    """Draw a pair: photos with correspondences above, label maps below.

    Both images are brought to one height, so that dots, lines and text are
    legible whatever the size of the photos.

    Args:
        images: Reference and target, (H, W, 3) uint8 RGB of any sizes.
        points: (N, 2) x, y in each, in pixels of these images.
        palette: (K, 3) uint8 RGB.
        label_maps: (h, w) cluster ids of each whole image, of any
            resolution. Defaults to None: no second row.
        agree: (N,) bool, whether the labels of a correspondence are equal:
            green or red. Defaults to None, not known: yellow.
        caption: Lines of text, ASCII.
        height: Height of one panel in pixels.
        alpha: Weight of the label map over the photo in [0, 1].
        max_points: Dots drawn at most, spread over the reference.
        max_lines: Lines drawn at most between the two photos.
        edges: Whether to show edges of the photos and no photo; one row,
            of the label maps where there are any.

    Returns:
        (H', W', 3) uint8 RGB.
    """
    panels, drawn_points = [], []
    for image, xy in zip(images, points):
        width = max(1, round(image.shape[1] * height / image.shape[0]))
        shrinks = height < image.shape[0]
        panel = cv2.resize(
            image,
            (width, height),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        panels.append(outline(panel) if edges else panel)
        scale = (width / image.shape[1], height / image.shape[0])
        drawn_points.append(resize_points(xy, scale))

    keep = spread_over(drawn_points[0], max_points)
    colours = agreement_colours(agree, len(drawn_points[0]))[keep]
    start, end = drawn_points[0][keep], drawn_points[1][keep]
    offset = np.array([panels[0].shape[1] + GAP, 0])
    radius = max(height / 220, 1.5)

    top = _side_by_side(panels)
    lines = spread_over(start, max_lines)
    draw_lines(
        top,
        start[lines],
        end[lines] + offset,
        colours[lines],
        thickness=max(1, round(height / 500)),
    )
    draw_dots(
        top, np.concatenate([start, end + offset]), _twice(colours), radius
    )
    rows = [top]
    if label_maps is not None:
        blended = [
            blend_label_map(panel, label_map, palette, alpha)
            for panel, label_map in zip(panels, label_maps)
        ]
        bottom = _side_by_side(blended)
        draw_dots(
            bottom,
            np.concatenate([start, end + offset]),
            _twice(colours),
            0.6 * radius,
        )
        rows = [bottom] if edges else [top, _gap(GAP, top.shape[1]), bottom]
    if caption:
        bar = caption_bar(caption, top.shape[1], max(height // 18, 12))
        rows.insert(0, bar)
    return np.concatenate(rows, axis=0)


def _side_by_side(panels: Sequence[np.ndarray]) -> np.ndarray:
    """Put two panels of one height beside each other."""
    gap = _gap(panels[0].shape[0], GAP)
    return np.ascontiguousarray(
        np.concatenate([panels[0], gap, panels[1]], axis=1)
    )


def _gap(height: int, width: int) -> np.ndarray:
    """A dark strip."""
    return np.full((height, width, 3), 24, np.uint8)


def _twice(colours: np.ndarray) -> np.ndarray:
    """Colours of the dots in both images."""
    return np.concatenate([colours, colours])
