"""hloc's features and matches -> correspondence files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import combinations

import h5py
import mmengine

from .colmap_pairs import ConversionReport, select_references
from .hloc_files import (
    check_matched,
    image_names,
    image_size,
    open_h5,
    read_keypoints,
    read_matches,
)
from .model import MapModel, read_model
from .pair_writer import PairWriter, group_by_matches, group_places
from .poses import camera_centre
from .two_view import fits_any_geometry, fits_poses


def hloc_to_correspondences(
    features: str | os.PathLike,
    matches: str | os.PathLike,
    images: str | os.PathLike,
    out: str | os.PathLike,
    model_path: str | os.PathLike | None = None,
    references: Sequence[str] | None = None,
    min_matches: int = 30,
    max_error: float = 4.0,
    prefix: str = '',
    num_places: int = 10,
    train_share: float = 0.7,
    seed: int = 0,
    overwrite: bool = False,
) -> ConversionReport:
    """Make training pairs of hloc's matches.

    Matches are kept that fit the poses of the model, or, without one, a
    fundamental matrix of their own.

    Args:
        features: hloc's ``features.h5``.
        matches: hloc's ``matches.h5``.
        images: Folder of the images.
        out: Folder to write to.
        model_path: COLMAP model. Images that are not in it are left out.
        references: See :func:`~.colmap_pairs.select_references`.
        min_matches: Correspondences that a pair needs.
        max_error: Pixels that a match may be off its epipolar line.
        prefix: Put before the names to find the files in ``images``.
        num_places: Groups of nearby reference images, of which each trains
            or validates as a whole.
        train_share: Share of the pairs that train.
        seed: Seed of the division.
        overwrite: Whether pairs may be there already.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: A file is not there.
        FileExistsError: There are pairs, and ``overwrite`` is not set.
        ValueError: A file is not as hloc writes it, or no pair is left.
    """
    model = None if model_path is None else read_model(model_path)
    with open_h5(features) as feature_file, open_h5(matches) as match_file:
        names = image_names(feature_file)
        if not names:
            raise ValueError(
                '`features` should hold images with keypoints, but got none '
                f'in {os.fspath(features)!r}.'
            )
        if model is not None:
            names = [name for name in names if name in model.images]
        chosen = select_references(names, references)
        writer = PairWriter(out, overwrite, prefix)
        writer.link_images(images)
        counts = _write_pairs(
            feature_file,
            match_file,
            names,
            chosen,
            model,
            min_matches,
            max_error,
            writer,
        )
    if not counts:
        raise ValueError(
            f'`matches` should hold a pair with at least {min_matches} '
            f'matches that fit one geometry, but got none of {len(names)} '
            f'images in {os.fspath(matches)!r}.'
        )
    used = {name for pair in counts for name in pair}
    if model is None:
        places = group_by_matches(counts, num_places)
    else:
        known = [model.images[name] for name in sorted(used & chosen)]
        places = group_places(
            {
                one.name: camera_centre(one.rotation, one.translation)
                for one in known
            },
            num_places,
        )
    train, val = writer.write_lists(places, train_share, seed)
    return ConversionReport(
        num_images=len(names),
        num_references=len(used & chosen),
        num_pairs=train + val,
        num_train=train,
        num_val=val,
        left_out=sorted(set(names) - used),
    )


def _write_pairs(
    features: h5py.File,
    matches: h5py.File,
    names: list[str],
    chosen: set[str],
    model: MapModel | None,
    min_matches: int,
    max_error: float,
    writer: PairWriter,
) -> dict[tuple[str, str], int]:
    """Write both orders of every pair; return numbers of matches."""
    counts: dict[tuple[str, str], int] = {}
    every = len(chosen) == len(names)
    keypoints = {name: read_keypoints(features, name) for name in names}
    bar = mmengine.ProgressBar(len(names) * (len(names) - 1) // 2)
    for pair in combinations(names, 2):
        bar.update()
        references = [name for name in pair if name in chosen]
        if not references or (len(references) == 2 and not every):
            continue
        index = read_matches(matches, *pair)
        if index is None or len(index) < min_matches:
            continue
        counted = len(keypoints[pair[0]]), len(keypoints[pair[1]])
        check_matched(index, counted, pair, matches)
        first, second = (
            keypoints[name][index[:, i]] for i, name in enumerate(pair)
        )
        if model is None:
            fits = fits_any_geometry(first, second, max_error)
        else:
            one, two = (model.images[name] for name in pair)
            fits = fits_poses(one, two, first, second, max_error)
        if fits.sum() < min_matches:
            continue
        counts[pair] = int(fits.sum())
        sides = dict(zip(pair, (first[fits], second[fits])))
        for name in references:
            other = pair[1] if name == pair[0] else pair[0]
            writer.write(
                name,
                other,
                sides[name],
                sides[other],
                image_size(features, name),
            )
    bar.file.write('\n')
    return counts
