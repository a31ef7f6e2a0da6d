from __future__ import annotations

import cv2
import numpy as np

# Black is what pixels without a label get; ids on disk end below 65535.
IGNORE_COLOUR = (0, 0, 0)
MAX_CLUSTERS = 65535

# The real root of x^4 = x + 1. The multiples of its negative powers fill a
# cube evenly however many are taken, as those of the golden ratio fill a line.
PLASTIC = 1.2207440846057596
# Lightness and the two colour axes of CIE Lab, around all of sRGB. The lower
# end of the lightness keeps clear of black.
LAB_LOW = (32.0, -86.0, -108.0)
LAB_HIGH = (94.0, 98.0, 94.0)
MIN_CHROMA = 25.0  # greys look like the photo under them
# The first colours are chosen from the first candidates to lie far apart.
CHOSEN, CANDIDATES = 1024, 4096


def cluster_palette(num_clusters: int, seed: int = 0) -> np.ndarray:
    """Colours for any number of clusters, all different, none black.

    Colours are spread evenly in CIE Lab, where distance is what the eye sees;
    ids that follow each other get colours far apart. The colour of an id does
    not depend on the number of clusters.

    Args:
        num_clusters: K, 1 to 65535.
        seed: Another seed gives another palette. Defaults to 0.

    Returns:
        (K, 3) uint8 RGB.

    Raises:
        ValueError: `num_clusters` is outside its range.
    """
    if not 1 <= num_clusters <= MAX_CLUSTERS:
        raise ValueError(
            f'`num_clusters` should be in [1, {MAX_CLUSTERS}], but got '
            f'{num_clusters!r}. Label maps hold 16 bits.'
        )
    colours = _candidates(max(num_clusters, CANDIDATES), seed)
    order = _farthest_first(colours[:CANDIDATES], min(num_clusters, CHOSEN))
    rest = np.setdiff1d(np.arange(len(colours)), order)
    return colours[np.concatenate([order, rest])[:num_clusters]]


def _candidates(number: int, seed: int) -> np.ndarray:
    """The first different colours of an even sequence; (number, 3) uint8."""
    start = np.random.default_rng(seed).random(3)
    steps = PLASTIC ** -np.arange(1.0, 4.0)
    low, high = np.array(LAB_LOW), np.array(LAB_HIGH)
    # About a quarter of the box around sRGB are colours of sRGB.
    length = 5 * number
    while True:
        cube = (start + np.arange(length)[:, None] * steps) % 1
        lab = (low + cube * (high - low)).astype(np.float32)
        rgb = cv2.cvtColor(lab[None], cv2.COLOR_Lab2RGB)
        # What lies outside sRGB is clipped and does not come back.
        back = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)[0]
        fits = np.abs(back - lab).max(axis=1) < 1
        fits &= np.hypot(lab[:, 1], lab[:, 2]) >= MIN_CHROMA
        colours = np.rint(255 * rgb[0][fits]).astype(np.uint8)
        _, first = np.unique(colours, axis=0, return_index=True)
        if len(first) >= number:
            return colours[np.sort(first)[:number]]
        length *= 2


def _farthest_first(colours: np.ndarray, number: int) -> np.ndarray:
    """Ids of colours, each as far as can be from all chosen before it."""
    lab = cv2.cvtColor(
        colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2Lab
    )[0]
    chosen = [0]
    nearest = np.linalg.norm(lab - lab[0], axis=1)
    while len(chosen) < number:
        chosen.append(int(nearest.argmax()))
        distance = np.linalg.norm(lab - lab[chosen[-1]], axis=1)
        nearest = np.minimum(nearest, distance)
    return np.array(chosen)
