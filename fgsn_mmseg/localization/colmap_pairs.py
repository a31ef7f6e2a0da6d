"""COLMAP model -> correspondence files."""

from __future__ import annotations

import fnmatch
import os
import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass

import mmengine
import numpy as np

from fgsn_mmseg.datasets.name_list import read_names

from ._extra import require
from .model import MapModel, read_model
from .pair_filters import PairFilters, filtered_observations, view_angle
from .pair_writer import IMAGE_FOLDER, PairWriter, group_places
from .poses import camera_centre


@dataclass(frozen=True)
class ConversionReport:
    """What :func:`colmap_to_correspondences` wrote.

    Attributes:
        num_images: Images of the model.
        num_references: Of them, reference images with at least one pair.
        num_pairs: Pairs written.
        num_train: Of them, for training.
        num_val: Of them, for validation.
        left_out: Images in no pair.
    """

    num_images: int
    num_references: int
    num_pairs: int
    num_train: int
    num_val: int
    left_out: list[str]

    def lines(self, out: str) -> list[str]:
        """Return it in words, ``out`` being the folder written to."""
        lines = [
            f'{self.num_pairs} pairs of {self.num_images} images written to '
            f'{out}: {self.num_train} for training, {self.num_val} for '
            f'validation, {self.num_references} reference images'
        ]
        if self.left_out:
            lines.append(
                f'{len(self.left_out)} images are in no pair: '
                f'{", ".join(self.left_out[:5])}'
            )
        return lines


def colmap_to_correspondences(
    model_path: str | os.PathLike,
    images: str | os.PathLike,
    out: str | os.PathLike,
    references: Sequence[str] | None = None,
    filters: PairFilters | None = None,
    prefix: str = '',
    undistort: bool = False,
    num_places: int = 10,
    train_share: float = 0.7,
    seed: int = 0,
    overwrite: bool = False,
) -> ConversionReport:
    """Make training pairs of a COLMAP model.

    Correspondences are keypoints of the same 3D point. They lie on the
    images as they are: lens distortion does them no harm, unless it is to be
    undone.

    Args:
        model_path: Folder of the model, binary or text.
        images: Folder of the images.
        out: Folder to write to: ``correspondence_data/``, the lists, and
            ``images``, a link to ``images`` or the undistorted images.
        references: See :func:`select_references`. Defaults to None: every
            image is the reference of all others.
        filters: Limits. Defaults to ``PairFilters()``.
        prefix: Put before the model's names to find the files in ``images``.
        undistort: Undo the lens distortion: images and points of a pinhole
            camera.
        num_places: Groups of nearby reference images, of which each trains
            or validates as a whole.
        train_share: Share of the pairs that train.
        seed: Seed of the division.
        overwrite: Whether pairs may be there already.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: There is no model, or an image is missing.
        FileExistsError: There are pairs, and ``overwrite`` is not set.
        ValueError: The model is broken, no reference is in it, or no pair
            passes the filters.
        ImportError: The extra ``[localization]`` is not installed.
    """
    filters = filters or PairFilters()
    model = read_model(model_path)
    folder = osp.join(images, prefix) if prefix else os.fspath(images)
    _check_images(model, folder)
    chosen = select_references(list(model.images), references)
    # Undistorted images have the names of the model.
    writer = PairWriter(out, overwrite, '' if undistort else prefix)
    if undistort:
        model = _undistorted(model_path, folder, out)
    else:
        writer.link_images(images)
    used = write_model_pairs(model, chosen, filters, writer)
    if not writer.references:
        raise ValueError(
            f'`filters` should let a pair pass, but got none of '
            f'{len(model.images)} images with {filters}. Lower them.'
        )
    centres = {
        name: camera_centre(image.rotation, image.translation)
        for name, image in model.images.items()
        if name in set(writer.references.values())
    }
    places = group_places(centres, num_places)
    train, val = writer.write_lists(places, train_share, seed)
    return ConversionReport(
        num_images=len(model.images),
        num_references=len(centres),
        num_pairs=train + val,
        num_train=train,
        num_val=val,
        left_out=sorted(set(model.images) - used),
    )


def select_references(
    names: Sequence[str], wanted: Sequence[str] | None
) -> set[str]:
    """Choose reference images.

    Args:
        names: All images.
        wanted: Each is a file with one name a line, a pattern with ``*`` or
            ``?``, a folder (the start of names), or a name. None: all.

    Returns:
        Their names.

    Raises:
        ValueError: One of ``wanted`` fits no image.
    """
    if wanted is None:
        return set(names)
    chosen: set[str] = set()
    for entry in wanted:
        if osp.isfile(entry):
            listed = set(read_names(entry))
            found = listed & set(names)
        else:
            start = entry.rstrip('/') + '/'
            found = {
                name
                for name in names
                if name == entry
                or name.startswith(start)
                or fnmatch.fnmatchcase(name, entry)
            }
        if not found:
            raise ValueError(
                f'`references` should name images of the model, but got '
                f'{entry!r}, which fits none of {len(names)}, such as '
                f'{names[0]!r}.'
            )
        chosen |= found
    return chosen


def write_model_pairs(
    model: MapModel,
    chosen: set[str],
    filters: PairFilters,
    writer: PairWriter,
) -> set[str]:
    """Write all pairs of a model.

    Args:
        model: The map.
        chosen: Names of the reference images.
        filters: Limits.
        writer: Where to.

    Returns:
        Names of the images that are in a pair.
    """
    seen = filtered_observations(model, filters)
    every = len(chosen) == len(model.images)
    targets = [name for name in model.images if every or name not in chosen]
    used: set[str] = set()
    bar = mmengine.ProgressBar(len(chosen))
    for name in sorted(chosen):
        image = model.images[name]
        rows, pixels = seen[name]
        for name2 in targets:
            image2 = model.images[name2]
            if name2 == name:
                continue
            if view_angle(image, image2) > filters.max_view_angle:
                continue
            rows2, pixels2 = seen[name2]
            _, at, at2 = np.intersect1d(
                rows, rows2, assume_unique=True, return_indices=True
            )
            if len(at) < filters.min_matches:
                continue
            size = image.camera['width'], image.camera['height']
            writer.write(name, name2, pixels[at], pixels2[at2], size)
            used |= {name, name2}
        bar.update()
    bar.file.write('\n')
    return used


def _check_images(model: MapModel, folder: str) -> None:
    missing = [
        name for name in model.images if not osp.isfile(osp.join(folder, name))
    ]
    if missing:
        raise FileNotFoundError(
            f'`images` should hold the images of the model, but got '
            f'{folder!r}, where {len(missing)} of {len(model.images)} are '
            f'missing, the first is {missing[0]!r}. A prefix may be missing.'
        )


def _undistorted(
    model_path: str | os.PathLike, folder: str, out: str | os.PathLike
) -> MapModel:
    """Write undistorted images and read the model that fits them."""
    pycolmap = require('pycolmap')
    try:
        pycolmap.undistort_images(
            os.fspath(out), os.fspath(model_path), folder
        )
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            '`undistort` should be set for cameras that COLMAP can '
            f'undistort, but got {str(error).splitlines()[0]} for '
            f'{os.fspath(model_path)!r}.'
        ) from error
    model = read_model(osp.join(out, 'sparse'))
    _check_images(model, osp.join(out, IMAGE_FOLDER))
    return model
