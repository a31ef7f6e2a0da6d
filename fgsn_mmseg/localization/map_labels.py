"""The label of every 3D point of a map: votes of its track."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from fgsn_mmseg.datasets import cluster_palette
from fgsn_mmseg.files import whole_file

from .label_maps import LabelMaps, labels_at
from .label_scores import NO_LABEL
from .model import MapModel

_GREY = 128


@dataclass(frozen=True)
class MapLabels:
    """Labels of the points of a COLMAP model.

    Attributes:
        point_ids: (P,) int64 COLMAP's ids, sorted.
        xyz: (P, 3) float64.
        labels: (P,) int64, -1 where no image gave a label.
        shares: (P,) float64, share of the votes that the label got.
        votes: (P,) int64, images that voted.
    """

    point_ids: np.ndarray
    xyz: np.ndarray
    labels: np.ndarray
    shares: np.ndarray
    votes: np.ndarray

    def of_points(self, point_ids: np.ndarray) -> np.ndarray:
        """Labels of points by COLMAP's ids.

        Args:
            point_ids: (N,) integers.

        Returns:
            (N,) int64, -1 for ids that the map does not have.
        """
        rows, known = self._rows(point_ids)
        return np.where(known, self.labels[rows], NO_LABEL)

    def shares_of(self, point_ids: np.ndarray) -> np.ndarray:
        """Shares of the votes, as :meth:`of_points`; 0 for unknown ids."""
        rows, known = self._rows(point_ids)
        return np.where(known, self.shares[rows], 0.0)

    def _rows(self, point_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = np.searchsorted(self.point_ids, point_ids)
        rows = np.minimum(rows, len(self.point_ids) - 1)
        return rows, self.point_ids[rows] == point_ids

    def save(self, path: str | os.PathLike) -> None:
        """Write ``.npz``; the file appears whole or not at all."""
        with whole_file(path) as part, open(part, 'wb') as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def load(cls, path: str | os.PathLike) -> MapLabels:
        """Read what :meth:`save` wrote.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is another one.
        """
        try:
            with np.load(path) as data:
                names = cls.__dataclass_fields__
                return cls(**{name: data[name] for name in names})
        except FileNotFoundError:
            raise
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                '`path` should be labels of a map (.npz), but got '
                f'{os.fspath(path)!r} ({error}). '
                'tools/localization/label_map.py writes one.'
            ) from error


def vote_labels(
    model: MapModel,
    maps: LabelMaps,
    stationary: np.ndarray | None = None,
) -> tuple[MapLabels, list[str]]:
    """Label the points of a model by its images' label maps.

    Every image that sees a point votes with the label of the pixel in which
    its keypoint lies. Of labels with equally many votes the smallest wins.

    Args:
        model: The map.
        maps: Label maps of its images. Pixels without label do not vote.
        stationary: (K,) bool; points whose label is not stationary get none.

    Returns:
        The labels, and the names of the images without a label map.

    Raises:
        ValueError: No image has a label map, or one does not fit.
    """
    rows: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    missing = []
    for image in model.images.values():
        size = image.camera['width'], image.camera['height']
        label_map = maps.read(image.name, *size)
        if label_map is None:
            missing.append(image.name)
            continue
        seen, pixels = model.observations(image)
        rows.append(seen)
        labels.append(labels_at(label_map, pixels))
    if not rows:
        raise ValueError(
            '`maps` should hold a label map for images of the model, but got '
            f'none of {len(missing)} in {maps.folder}, the first is '
            f'{missing[0]!r}. Are the relative paths the same?'
        )
    winners, shares, votes = _count(
        np.concatenate(rows), np.concatenate(labels), len(model.xyz)
    )
    if stationary is not None:
        known = winners >= 0
        moving = known & ~stationary[winners]
        winners[moving] = NO_LABEL
    found = MapLabels(model.point_ids, model.xyz, winners, shares, votes)
    return found, missing


def _count(
    rows: np.ndarray, labels: np.ndarray, num_points: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Winner, its share and the number of votes of each point."""
    cast = labels != NO_LABEL
    rows, labels = rows[cast], labels[cast]
    winners = np.full(num_points, NO_LABEL, dtype=np.int64)
    shares = np.zeros(num_points)
    votes = np.bincount(rows, minlength=num_points)
    if len(rows):
        counts = coo_array(
            (np.ones(len(rows)), (rows, labels)),
            shape=(num_points, int(labels.max()) + 1),
        ).tocsr()
        any_vote = votes > 0
        # The first of equal maxima, that is the smallest label.
        best = np.asarray(counts.argmax(axis=1)).ravel()
        top = counts.max(axis=1).toarray().ravel()
        winners[any_vote] = best[any_vote]
        shares[any_vote] = top[any_vote] / votes[any_vote]
    return winners, shares, votes


def write_ply(path: str | os.PathLike, labels: MapLabels) -> None:
    """Write the labelled points as a coloured cloud (binary PLY).

    Points without label are grey and have the label -1.

    Args:
        path: File to write.
        labels: Of the map.
    """
    names = ('x', 'y', 'z', 'red', 'green', 'blue', 'label')
    kinds = ['float'] * 3 + ['uchar'] * 3 + ['int']
    types = ['<f4'] * 3 + ['u1'] * 3 + ['<i4']
    cloud = np.zeros(len(labels.xyz), dtype=list(zip(names, types)))
    palette = cluster_palette(max(int(labels.labels.max(initial=0)) + 1, 1))
    known = labels.labels[:, None] >= 0
    colours = np.where(known, palette[labels.labels], _GREY)
    columns = [*labels.xyz.T, *colours.T, labels.labels]
    for name, column in zip(names, columns):
        cloud[name] = column
    header = [
        'ply',
        'format binary_little_endian 1.0',
        f'element vertex {len(cloud)}',
        *(f'property {kind} {name}' for kind, name in zip(kinds, names)),
        'end_header',
    ]
    with whole_file(path) as part, open(part, 'wb') as file:
        file.write(('\n'.join(header) + '\n').encode('ascii'))
        file.write(cloud.tobytes())
