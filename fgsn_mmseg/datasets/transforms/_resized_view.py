"""A resized image of which only the part that is looked at is computed."""

from __future__ import annotations

import math

import cv2
import numpy as np

# Pixels, of the image before or after, whichever are larger, by which a part
# may be shifted against the same part of the image resized as a whole.
MAX_SHIFT = 1 / 64


class ResizedView:
    """An image resized bilinearly, at a slice's request.

    ``view[y : y + h, x : x + w]`` is that part of
    ``cv2.resize(image, size)``, but for shifts below ``MAX_SHIFT``: OpenCV
    starts at whole pixels of the source, so the part is begun at the nearest
    place before it that falls onto one.

    Args:
        image (np.ndarray): (H, W, C) or (H, W).
        size (tuple[int]): (width, height) of the resized image.
    """

    def __init__(self, image: np.ndarray, size: tuple[int, int]) -> None:
        self.image = image
        self.shape = (size[1], size[0], *image.shape[2:])
        self.dtype = image.dtype

    def __getitem__(self, part: tuple[slice, slice]) -> np.ndarray:
        """The part between the bounds of two slices, rows first."""
        factors, sources, results = [], [], []
        for axis in (0, 1):
            old, new = self.image.shape[axis], self.shape[axis]
            start, stop, _ = part[axis].indices(new)
            first = _aligned_start(start, old / new)
            begin = round(first * old / new)
            # One pixel more for the interpolation, one for OpenCV's rounding
            # of the part's size.
            end = math.ceil(stop * old / new) + 2
            factors.append(new / old)
            sources.append(slice(begin, min(end, old)))
            results.append(slice(start - first, stop - first))
        source = self.image[tuple(sources)]
        if source.shape[:2] == self.image.shape[:2]:
            source = cv2.resize(source, self.shape[1::-1])
        else:
            # Not by a size: OpenCV would take the factor from the two sizes.
            source = cv2.resize(source, None, fx=factors[1], fy=factors[0])
        return source[tuple(results)]


def _aligned_start(start: int, step: float) -> int:
    """A place up to ``start`` that lies on the border of two source pixels.

    It is far enough before ``start`` for the pixels between them to be the
    only ones that OpenCV cannot interpolate; or it is 0.

    Args:
        start (int): In pixels of the resized image.
        step (float): Source pixels per pixel of the resized image.
    """
    latest = max(start - math.ceil(0.5 / step), 0)
    places = np.arange(latest, -1, -1) * step
    aligned = np.abs(places - np.rint(places)) <= MAX_SHIFT * min(step, 1)
    return latest - int(np.argmax(aligned))
