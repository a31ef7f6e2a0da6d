"""Small pair data sets, and images whose content tells where it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fgsn_mmseg.datasets import write_pair_file


def blob_image(shape, centres, sigma=3.5):
    """Gaussian spots of 200 grey levels at sub-pixel (x, y) centres."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for cx, cy in centres:
        image += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2))
    return np.repeat(200 * image[..., None], 3, axis=2).astype(np.float32)


def blob_centre(image, near, radius):
    """Centre of mass of the spot around `near`, by a naive loop."""
    total = sum_x = sum_y = 0.0
    height, width = image.shape[:2]
    left, top = (int(v) - radius for v in near)
    for y in range(max(top, 0), min(top + 2 * radius + 2, height)):
        for x in range(max(left, 0), min(left + 2 * radius + 2, width)):
            value = float(image[y, x, 0])
            total += value
            sum_x += value * x
            sum_y += value * y
    return sum_x / total, sum_y / total


def make_world(root: Path, pairs, sizes=None, points=None, seed=0):
    """A tree in the published layout.

    Args:
        pairs: (name of the .mat file, reference, target) of each pair.
        sizes: image path -> (H, W); default (40, 60).
        points: name of the .mat file -> number of correspondences.
    """
    rng = np.random.default_rng(seed)
    records = {}
    for name, img_path, img_path2 in pairs:
        shapes = []
        for path in (img_path, img_path2):
            shape = (sizes or {}).get(path, (40, 60))
            shapes.append(shape)
            file = root / 'images' / path
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
                cv2.imwrite(str(file), pixels)
        count = (points or {}).get(name, 6)
        records[name] = dict(
            img_path=img_path,
            img_path2=img_path2,
            points=random_points(rng, shapes[0], count),
            points2=random_points(rng, shapes[1], count),
            dist_from_center=rng.uniform(0, 2, count),
        )
        write_pair_file(root / 'correspondence_data' / name, records[name])
    return records


def random_points(rng, shape, count):
    return rng.uniform(0, (shape[1] - 1, shape[0] - 1), (count, 2))
