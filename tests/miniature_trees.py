"""Tiny copies of the published trees, with their real names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from fgsn_mmseg.datasets.pair_file import write_pair_file

ANNOTATED = {
    'CMU': 'segmented_images',
    'ROBOTCAR': 'segmented_images_201810',
}
IMAGES = {
    'CMU': ['slice{a}/{cond}/img_{n:05d}_c0_128355{n}us.jpg', 4],
    'ROBOTCAR': ['{cond}/rear/141720{n:04d}{a}.png', 3],
}
CONDITIONS = ('reference', 'overcast-winter', 'night')


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def save_palette(path: Path, ids: np.ndarray) -> None:
    """A palette PNG whose colours are unlike its indices, as Vistas has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids).convert('P')
    image.putdata(ids.ravel().tolist())
    image.putpalette([(37 * i + 90) % 256 for i in range(3 * 256)])
    image.save(path)


def make_seasons(root: Path, name: str, size=(48, 64)) -> Path:
    """CMU or ROBOTCAR: pairs of every condition, and annotated images.

    Four places; the reference image of each pairs with two conditions.
    """
    rng = np.random.default_rng(0)
    root = root / name
    template = IMAGES[name][0]
    for place in range(4):
        paths = [
            template.format(a=place, n=place, cond=condition)
            for condition in CONDITIONS
        ]
        for path in paths:
            image = rng.integers(0, 256, (*size, 3), np.uint8)
            save(root / 'images' / path, image)
        for k, path in enumerate(paths[1:]):
            points = rng.uniform(0, (size[1] - 1, size[0] - 1), (30, 2))
            pair = dict(
                img_path=paths[0],
                img_path2=path,
                points=points,
                points2=points[:, ::1] * 0.98 + 0.3,
                dist_from_center=rng.uniform(0, 2, 30),
            )
            write_pair_file(
                root / 'correspondence_data' / f'corr_{place}_{k}.mat', pair
            )
    for split in ('training', 'validation', 'testing'):
        for k in range(2):
            folder = root / ANNOTATED[name] / split
            ids = np.arange(size[0] * size[1]).reshape(size) % 34
            image = rng.integers(0, 256, (*size, 3), np.uint8)
            save(folder / 'imgs' / f'{split}_{k:03d}.png', image)
            ids = np.roll(ids, k, 1).astype(np.uint8)
            save(folder / 'annos' / f'{split}_{k:03d}.png', ids)
    return root


def make_cityscapes(root: Path, size=(48, 96)) -> Path:
    rng = np.random.default_rng(1)
    root = root / 'cityscapes'
    for split, city in (('train', 'aachen'), ('val', 'frankfurt')):
        for k in range(2):
            stem = f'{city}_{k:06d}_000019'
            image = rng.integers(0, 256, (*size, 3), np.uint8)
            ids = rng.integers(0, 20, size).astype(np.uint8)
            ids[ids == 19] = 255
            save(
                root / f'leftImg8bit/{split}/{city}/{stem}_leftImg8bit.png',
                image,
            )
            save(
                root
                / f'gtFine/{split}/{city}/{stem}_gtFine_labelTrainIds.png',
                ids,
            )
    return root


def make_vistas(root: Path, size=(48, 64), labels='labels') -> Path:
    rng = np.random.default_rng(2)
    root = root / 'vistas'
    for split in ('training', 'validation'):
        for k in range(3):
            name = f'_0_XPqIWn3kVPRXm5GqLl{k}A'
            image = rng.integers(0, 256, (*size, 3), np.uint8)
            ids = rng.permutation(size[0] * size[1]).reshape(size) % 66
            save(root / split / 'images' / f'{name}.jpg', image)
            save_palette(
                root / split / labels / f'{name}.png', ids.astype(np.uint8)
            )
    return root
