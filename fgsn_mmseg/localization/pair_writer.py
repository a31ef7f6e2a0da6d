"""A tree of correspondence files with its lists, ready for training."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from fgsn_mmseg.datasets.name_list import write_names
from fgsn_mmseg.datasets.pair_file import write_pair_file
from fgsn_mmseg.datasets.splits import (
    REFERENCE_LIST,
    TRAIN_LIST,
    VAL_LIST,
    split_pairs,
)
from fgsn_mmseg.geometry import from_colmap

PAIR_FOLDER = 'correspondence_data'
IMAGE_FOLDER = 'images'


class PairWriter:
    """Writes the published layout: ``correspondence_data/`` and lists.

    Args:
        root (str | os.PathLike): Folder to write to; it is made.
        overwrite (bool): Whether pairs may be there already.
        prefix (str): Put before the names of images to make paths relative
            to the image root.

    Raises:
        FileExistsError: There are pairs, and ``overwrite`` is not set.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        overwrite: bool = False,
        prefix: str = '',
    ) -> None:
        self.root = os.fspath(root)
        self.prefix = f'{prefix.strip("/")}/' if prefix else ''
        self.references: dict[str, str] = {}
        self._images: dict[str, tuple[str, str]] = {}
        folder = osp.join(self.root, PAIR_FOLDER)
        os.makedirs(folder, exist_ok=True)
        if os.listdir(folder) and not overwrite:
            raise FileExistsError(
                f'`out` should be without pairs, but got {folder!r}, which '
                'holds some. Choose another folder, or overwrite.'
            )

    def write(
        self,
        name: str,
        name2: str,
        pixels: np.ndarray,
        pixels2: np.ndarray,
        size: tuple[int, int],
    ) -> None:
        """Write one pair.

        Args:
            name: Of the reference image.
            name2: Of the target image.
            pixels: (N, 2) in the reference, 0.5 = centre of the first pixel.
            pixels2: (N, 2) in the target.
            size: (width, height) of the reference.

        Raises:
            ValueError: Two pairs would get the same file.
        """
        points = from_colmap(np.asarray(pixels, np.float64))
        file = f'{_stem(name)}--{_stem(name2)}.mat'
        if self._images.setdefault(file, (name, name2)) != (name, name2):
            raise ValueError(
                f'`images` should have names that differ in more than their '
                f'extension and slashes, but got {name!r} and {name2!r} '
                f'beside {self._images[file]}. Rename one.'
            )
        write_pair_file(
            osp.join(self.root, PAIR_FOLDER, file),
            dict(
                img_path=self.prefix + name,
                img_path2=self.prefix + name2,
                points=points,
                points2=from_colmap(np.asarray(pixels2, np.float64)),
                dist_from_center=distance_from_centre(points, size),
            ),
        )
        self.references[file] = name

    def write_lists(
        self,
        places: Mapping[str, int],
        train_share: float = 0.7,
        seed: int = 0,
    ) -> tuple[int, int]:
        """Divide the pairs by place and write the three lists.

        Args:
            places: Place of every reference image; the images of one place
                stay together.
            train_share: Share of the pairs that train.
            seed: Seed of the division.

        Returns:
            Numbers of training and validation pairs.

        Raises:
            ValueError: All pairs are of one place.
        """
        of_pair = {
            file: str(places[name]) for file, name in self.references.items()
        }
        if len(set(of_pair.values())) < 2:
            raise ValueError(
                '`places` should divide the pairs into training and '
                f'validation, but got one place for all {len(of_pair)} '
                'pairs. Allow more references or pairs.'
            )
        train, val = split_pairs(of_pair, train_share, seed)
        write_names(osp.join(self.root, TRAIN_LIST), train)
        write_names(osp.join(self.root, VAL_LIST), val)
        names = sorted(
            self.prefix + name for name in set(self.references.values())
        )
        write_names(osp.join(self.root, REFERENCE_LIST), names)
        return len(train), len(val)

    def link_images(self, images: str | os.PathLike) -> None:
        """Make ``images`` in the tree a link to the folder of the images."""
        target = osp.join(self.root, IMAGE_FOLDER)
        if not osp.lexists(target):
            os.symlink(osp.abspath(images), target, target_is_directory=True)


def distance_from_centre(
    points: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Distance from the image's centre, 1 at the corner pixels.

    Args:
        points: (N, 2), 0 = centre of the first pixel.
        size: (width, height).

    Returns:
        (N,) float64; exp(-dist) is the weight of a correspondence.
    """
    centre = (np.asarray(size, np.float64) - 1) / 2
    half = max(float(np.linalg.norm(centre)), 1.0)
    return np.linalg.norm(points - centre, axis=1) / half


def group_places(
    centres: Mapping[str, np.ndarray], num_places: int = 10
) -> dict[str, int]:
    """Group images whose cameras are near each other.

    Args:
        centres: Camera centre (3,) by image name.
        num_places: Groups at most. Defaults to 10.

    Returns:
        Group by image name.
    """
    names = sorted(centres)
    positions = np.array([centres[name] for name in names])
    return _group(names, pdist(positions.reshape(-1, 3)), num_places)


def group_by_matches(
    counts: Mapping[tuple[str, str], int], num_places: int = 10
) -> dict[str, int]:
    """Group images that share many matches: places without a model.

    Args:
        counts: Matches by pair of names.
        num_places: Groups at most. Defaults to 10.

    Returns:
        Group by image name.
    """
    names = sorted({name for pair in counts for name in pair})
    row = {name: i for i, name in enumerate(names)}
    # Images without a match are as far apart as can be.
    distance = np.ones((len(names), len(names)))
    np.fill_diagonal(distance, 0)
    for (name, name2), count in counts.items():
        i, j = row[name], row[name2]
        near = 1 / (1 + count)
        distance[i, j] = distance[j, i] = min(distance[i, j], near)
    return _group(names, squareform(distance), num_places)


def _group(
    names: Sequence[str], distances: np.ndarray, num_places: int
) -> dict[str, int]:
    """Average linkage: no unit of length is needed."""
    if len(names) < 2:
        return dict.fromkeys(names, 0)
    groups = fcluster(linkage(distances, 'average'), num_places, 'maxclust')
    return {name: int(group) for name, group in zip(names, groups)}


def _stem(name: str) -> str:
    return osp.splitext(name)[0].replace('/', '_')
