"""A folder of photos -> correspondence files, with pycolmap on the CPU."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mmengine
import numpy as np

from fgsn_mmseg.datasets import list_images

from ._extra import require
from .colmap_pairs import write_model_pairs
from .model import from_reconstruction
from .pair_filters import PairFilters
from .pair_writer import PairWriter, group_by_matches, group_places
from .photo_models import match_photos, reasons_left_out, reconstruct
from .poses import camera_centre

WORK_FOLDER = 'reconstruction'
_STAGES = 3


@dataclass
class PhotoReport:
    """What :func:`images_to_correspondences` did.

    Attributes:
        num_images: Photos found.
        num_models: Models that came out.
        num_train: Training pairs.
        num_val: Validation pairs.
        two_view: Places without a model: pairs by two-view geometry.
        left_out: Why, by the name of each photo that is in no pair.
    """

    num_images: int = 0
    num_models: int = 0
    num_train: int = 0
    num_val: int = 0
    two_view: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def images_to_correspondences(
    images: str | os.PathLike,
    out: str | os.PathLike,
    filters: PairFilters | None = None,
    num_places: int = 10,
    train_share: float = 0.7,
    seed: int = 0,
    num_threads: int = -1,
) -> PhotoReport:
    """Make training pairs of photos.

    Each folder inside ``images`` is a place; photos directly in ``images``
    are one more. For each: SIFT, matching of all pairs, reconstruction. What
    is done is kept in ``<out>/reconstruction``, so a run that was stopped
    goes on. Photos are read as stored, without EXIF orientation.

    Args:
        images: Folder of the photos.
        out: Folder to write to.
        filters: Limits. Defaults to ``PairFilters()``.
        num_places: Groups of nearby reference images, in all, of which each
            trains or validates as a whole.
        train_share: Share of the pairs that train.
        seed: Seed of the reconstruction and of the division.
        num_threads: Of pycolmap; -1 takes all cores.

    Returns:
        What was done, with the photos that were left out.

    Raises:
        FileNotFoundError: There are no photos.
        ValueError: No pair came out, or all are of one place.
        ImportError: The extra ``[localization]`` is not installed.
    """
    filters = filters or PairFilters()
    pycolmap = require('pycolmap')
    places = find_places(images)
    report = PhotoReport(num_images=sum(map(len, places.values())))
    writer = PairWriter(out, overwrite=True)
    writer.link_images(images)
    groups: dict[str, str] = {}
    each = -(-num_places // len(places))
    bar = mmengine.ProgressBar(len(places) * _STAGES)
    for place, names in places.items():
        work = osp.join(out, WORK_FOLDER, place or '_')
        os.makedirs(work, exist_ok=True)
        database = osp.join(work, 'database.db')
        how = num_threads, seed
        for _ in match_photos(pycolmap, images, names, database, *how):
            bar.update()
        models = reconstruct(pycolmap, images, database, work, *how)
        bar.update()
        report.num_models += len(models)
        if models:
            found = _pairs_of_models(models, filters, writer, each)
        else:
            found = _pairs_of_database(
                pycolmap, database, filters, writer, each
            )
            report.two_view.append(place or os.fspath(images))
        groups |= {name: f'{place} {one}' for name, one in found.items()}
        report.left_out |= reasons_left_out(
            pycolmap, database, models, set(names) - set(found)
        )
    bar.file.write('\n')
    if not writer.references:
        raise ValueError(
            f'`images` should hold photos that overlap, but got no pair with '
            f'{filters.min_matches} matches of {report.num_images} photos in '
            f'{os.fspath(images)!r}.'
        )
    numbers = {one: i for i, one in enumerate(sorted(set(groups.values())))}
    report.num_train, report.num_val = writer.write_lists(
        {name: numbers[one] for name, one in groups.items()},
        train_share,
        seed,
    )
    return report


def find_places(images: str | os.PathLike) -> dict[str, list[str]]:
    """Photos by place: the first folder of their relative path.

    Args:
        images: Folder of the photos.

    Returns:
        By place, '' for photos that lie directly in ``images``, the sorted
        paths relative to ``images``.

    Raises:
        FileNotFoundError: There is no photo.
    """
    places: dict[str, list[str]] = {}
    for name in list_images(os.fspath(images)):
        place = name.split('/')[0] if '/' in name else ''
        places.setdefault(place, []).append(name)
    return {place: places[place] for place in sorted(places)}


def _pairs_of_models(
    models: Sequence[Any],
    filters: PairFilters,
    writer: PairWriter,
    num_places: int,
) -> dict[str, int]:
    """Write the pairs of models; group of each image that is in one."""
    groups: dict[str, int] = {}
    for loaded in models:
        model = from_reconstruction(loaded)
        used = write_model_pairs(model, set(model.images), filters, writer)
        centres = {
            name: camera_centre(image.rotation, image.translation)
            for name, image in model.images.items()
            if name in used
        }
        start = max(groups.values(), default=0)
        for name, group in group_places(centres, num_places).items():
            groups.setdefault(name, start + group)
    return groups


def _pairs_of_database(
    pycolmap: Any,
    database: str,
    filters: PairFilters,
    writer: PairWriter,
    num_places: int,
) -> dict[str, int]:
    """The same by the two-view geometries of the database."""
    counts: dict[tuple[str, str], int] = {}
    with pycolmap.Database.open(database) as opened:
        images = {one.image_id: one for one in opened.read_all_images()}
        cameras = {one.camera_id: one for one in opened.read_all_cameras()}
        keypoints = {
            i: np.asarray(opened.read_keypoints(i), np.float64)[:, :2]
            for i in images
        }
        for i in images:
            for j in images:
                if i >= j or not opened.exists_two_view_geometry(i, j):
                    continue
                geometry = opened.read_two_view_geometry(i, j)
                index = np.asarray(geometry.inlier_matches, np.int64)
                if len(index) < filters.min_matches:
                    continue
                counts[images[i].name, images[j].name] = len(index)
                points = keypoints[i][index[:, 0]], keypoints[j][index[:, 1]]
                for (a, b), order in (((i, j), (0, 1)), ((j, i), (1, 0))):
                    camera = cameras[images[a].camera_id]
                    writer.write(
                        images[a].name,
                        images[b].name,
                        points[order[0]],
                        points[order[1]],
                        (camera.width, camera.height),
                    )
    return group_by_matches(counts, num_places)
