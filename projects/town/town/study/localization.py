"""The town as a map with queries: what every method is given."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from mmengine import ProgressBar

from fgsn_mmseg.geometry import to_colmap
from fgsn_mmseg.localization import RansacOptions, project
from fgsn_mmseg.localization.hloc_files import open_h5
from fgsn_mmseg.localization.hloc_lists import (
    read_poses,
    read_queries,
    read_retrieval,
)
from fgsn_mmseg.localization.hloc_queries import QueryMatches, query_matches
from fgsn_mmseg.localization.label_maps import LabelMaps, labels_at
from fgsn_mmseg.localization.likelihood import (
    LabelLikelihood,
    count_label_pairs,
)
from fgsn_mmseg.localization.map_labels import MapLabels, vote_labels
from fgsn_mmseg.localization.map_points import MapPoints
from fgsn_mmseg.localization.model import MapModel, read_model
from fgsn_mmseg.localization.sift_matches import SiftOptions, match_by_sift

from ..settings import TRAVERSALS, settings_for
from ..world.colmap import STREET_IDS
from ..world.generate import generate_world
from .figures import ACROSS
from .labellings import LabelMapOf, write_label_maps

# The classes and poses of the town of `make demo`, but more streets and a
# denser map, so that SIFT features have points near them.
WORLD = dict(val_streets=12, point_density=6.0)
# Labels are to decide, so every mutual nearest neighbour is a match.
SIFT = SiftOptions(ratio=1.0)
BUDGET = RansacOptions(
    max_error=5.0, max_iterations=10_000, min_iterations=100
)
# A match is called right if its point lies this near at the true pose.
RIGHT_PIXELS = 5.0


@dataclass(frozen=True)
class Query:
    """One query photo and its matches.

    Attributes:
        name: Of the photo.
        condition: In which it was taken.
        street: Number of its street.
        camera: Its intrinsics.
        truth: Its pose: rotation (3, 3), translation (3,).
        matches: To the map.
        points3d: (N, 3) the matched points.
        right: (N,) bool, which are right.
    """

    name: str
    condition: str
    street: int
    camera: dict
    truth: tuple[np.ndarray, np.ndarray]
    matches: QueryMatches
    points3d: np.ndarray
    right: np.ndarray


class LocalizationTown:
    """A town whose summer is the map.

    Args:
        root: Folder of the town; rendered if it is not there.
        work_dir: Folder of matches and label maps.
        size: Of a town that is to be rendered.
        **changes: Settings of it.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        work_dir: str | os.PathLike,
        size: str = 'study',
        **changes: float,
    ) -> None:
        self.root, self.work_dir = Path(root), Path(work_dir)
        if not (self.root / 'complete.json').exists():
            settings = settings_for(size, **{**WORLD, **changes})
            bar = ProgressBar(len(settings.image_keys()))
            generate_world(self.root, settings, 1, lambda *_: bar.update())
        world = json.loads((self.root / 'world.json').read_text())
        self.train_streets = int(world['train_streets'])
        self.retrieval = read_retrieval(self.root / 'query_pairs.txt')

    @cached_property
    def model(self) -> MapModel:
        """The map."""
        return read_model(self.root / 'colmap')

    @cached_property
    def queries(self) -> list[Query]:
        """All queries of the conditions that differ from the map's."""
        cameras = read_queries(self.root / 'queries_with_intrinsics.txt')
        truth = read_poses(self.root / 'poses.txt')
        wanted = {
            name: database
            for name, database in self.retrieval.items()
            if _condition(name) in ACROSS
        }
        features, matches = (
            self.work_dir / f'{kind}.h5' for kind in ('features', 'matches')
        )
        if not matches.exists():
            self.work_dir.mkdir(parents=True, exist_ok=True)
            match_by_sift(
                self.model,
                self.root / 'images',
                wanted,
                features,
                matches,
                SIFT,
            )
        found = []
        with open_h5(features) as feature_file, open_h5(matches) as file:
            for name, database in wanted.items():
                camera = cameras[name]
                own = query_matches(
                    name, database, self.model, feature_file, file
                )
                points = self.model.xyz[own.points]
                pixels = project(points, *truth[name], camera)
                error = np.linalg.norm(pixels - own.points2d, axis=1)
                found.append(
                    Query(
                        name,
                        _condition(name),
                        int(name.split('/')[0].removeprefix('street')),
                        camera,
                        truth[name],
                        own,
                        points,
                        error <= RIGHT_PIXELS,
                    )
                )
        return found

    @property
    def held_out(self) -> list[Query]:
        """Queries of streets that no network has seen."""
        return [q for q in self.queries if q.street >= self.train_streets]

    def description(self) -> list[str]:
        """Lines on what was given to the methods."""
        world = (self.root / 'world.json').read_text()
        return [
            f'Town: {json.dumps(json.loads(world))}',
            f'{len(self.held_out)} queries on '
            f'{len({q.street for q in self.held_out})} streets that no '
            'network has seen; map: the summer drive',
            f'Matches: mutual nearest neighbours of RootSIFT (OpenCV), '
            f'{SIFT}; the summer images of the street are the database',
            f'{BUDGET}',
        ]

    def label(
        self, key: str, label_map_of: Callable[[], LabelMapOf]
    ) -> TownLabels:
        """Label the map's images and the queries, unless it was done.

        Args:
            key: Name of the labelling's folder.
            label_map_of: Loads what labels images.
        """
        folder = self.work_dir / 'labels' / key
        done = folder / 'complete'
        if not done.exists():
            names = [*self.model.images, *(q.name for q in self.queries)]
            bar = ProgressBar(len(names))
            write_label_maps(
                label_map_of(), self.root / 'images', names, folder, bar.update
            )
            bar.file.write('\n')
            done.touch()
        return TownLabels(self, LabelMaps(folder))


class TownLabels:
    """One labelling of the town.

    Args:
        town: The town.
        maps: Label maps of its images.
    """

    def __init__(self, town: LocalizationTown, maps: LabelMaps) -> None:
        self.town, self.maps = town, maps
        self._points: dict[tuple[str, ...], MapPoints] = {}

    @cached_property
    def of_map(self) -> MapLabels:
        """Labels of the map's points: votes of the images that see them."""
        return vote_labels(self.town.model, self.maps)[0]

    def label_map(self, query: Query) -> np.ndarray:
        """Label map (H, W) of a query."""
        size = query.camera['width'], query.camera['height']
        found = self.maps.read(query.name, *size)
        assert found is not None  # every query was labelled
        return found

    def of_matches(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """Labels (N,) of a query's pixels and of the matched points."""
        matches = query.matches
        return (
            labels_at(self.label_map(query), matches.points2d),
            self.of_map.labels[matches.points],
        )

    def of_view(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """Labels (M,) of all points of the map in a query's view.

        Those of the query's pixels, where the renderer saw the points, and
        those of the points.
        """
        path = self.town.root / 'observations' / query.name
        with np.load(path.with_suffix('.npz')) as data:
            ids = query.street * STREET_IDS + data['index'] + 1
            pixels = to_colmap(data['pixels'])
        known = np.isin(ids, self.of_map.point_ids)
        return (
            labels_at(self.label_map(query), pixels[known]),
            self.of_map.of_points(ids[known]),
        )

    def table(self, num_clusters: int) -> LabelLikelihood:
        """Likelihoods counted on the matches of the training streets."""
        counts = np.zeros((2, num_clusters, num_clusters), np.int64)
        for query in self.town.queries:
            if query.street >= self.town.train_streets:
                continue
            labels, labels2 = self.of_matches(query)
            for kind, rows in enumerate((query.right, ~query.right)):
                counts[kind] += count_label_pairs(
                    labels[rows], labels2[rows], num_clusters
                )
        return LabelLikelihood.from_counts(*counts)

    def points_near(self, query: Query) -> MapPoints:
        """The labelled points that the query's database images see."""
        names = tuple(sorted(self.town.retrieval[query.name]))
        if names not in self._points:
            model = self.town.model
            near = {name: model.images[name] for name in names}
            part = MapModel(near, model.point_ids, model.xyz)
            self._points[names] = MapPoints.from_model(part, self.of_map)
        return self._points[names]


def _condition(name: str) -> str:
    return dict(TRAVERSALS)[name.split('/')[1]]
