"""The stages of a reconstruction with pycolmap on the CPU."""

from __future__ import annotations

import os
import os.path as osp
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def match_photos(
    pycolmap: Any,
    images: str | os.PathLike,
    names: Sequence[str],
    database: str,
    num_threads: int,
    seed: int,
) -> Iterator[None]:
    """SIFT, then matching; COLMAP skips what its database holds.

    Args:
        pycolmap: The module.
        images: Folder of the photos.
        names: Of the photos, relative to it.
        database: COLMAP's database, made where it is not there.
        num_threads: -1 takes all cores.
        seed: Of each pair's RANSAC: a pair that a stopped run did not come
            to is matched as it would have been.

    Yields:
        After each of the two stages.
    """
    cpu = pycolmap.Device.cpu
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.num_threads = num_threads
    pycolmap.extract_features(
        database,
        os.fspath(images),
        image_names=list(names),
        extraction_options=extraction,
        device=cpu,
    )
    yield
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads = num_threads
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = seed
    pycolmap.match_exhaustive(
        database,
        matching_options=matching,
        verification_options=verification,
        device=cpu,
    )
    yield


def reconstruct(
    pycolmap: Any,
    images: str | os.PathLike,
    database: str,
    work: str,
    num_threads: int,
    seed: int,
) -> list[Any]:
    """Models of a place, read where they are done, else made.

    Args:
        pycolmap: The module.
        images: Folder of the photos.
        database: With their features and matches.
        work: Folder of the place; ``models`` in it says that it is done.
        num_threads: -1 takes all cores.
        seed: Of all draws.

    Returns:
        ``pycolmap.Reconstruction`` of each model, none where none came out.
    """
    done = osp.join(work, 'models')
    if not osp.isdir(done):
        partial = osp.join(work, 'models.partial')
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(partial)
        options = pycolmap.IncrementalPipelineOptions()
        options.num_threads = num_threads
        options.random_seed = seed
        options.extract_colors = False
        pycolmap.incremental_mapping(
            database, os.fspath(images), partial, options
        )
        # Its name says that it is whole.
        os.replace(partial, done)
    folders = [osp.join(done, name) for name in sorted(os.listdir(done))]
    return [
        pycolmap.Reconstruction(folder)
        for folder in folders
        if osp.isdir(folder)
    ]


def reasons_left_out(
    pycolmap: Any, database: str, models: Sequence[Any], names: set[str]
) -> dict[str, str]:
    """Why photos are in no pair.

    Args:
        pycolmap: The module.
        database: With features and matches.
        models: Of the place.
        names: Of the photos that are in no pair.

    Returns:
        Reason by name.
    """
    known = {
        image.name
        for model in models
        for image in (model.images[i] for i in model.reg_image_ids())
    }
    reasons = {}
    with pycolmap.Database.open(database) as opened:
        ids = {one.name: one.image_id for one in opened.read_all_images()}
        pairs, counts = opened.read_two_view_geometry_num_inliers()
        verified = {
            i
            for pair, count in zip(pairs, counts)
            if count
            for i in np.ravel(pycolmap.pair_id_to_image_pair(pair)).tolist()
        }
    for name in sorted(names):
        if name not in ids:
            reasons[name] = 'it could not be read'
        elif ids[name] not in verified:
            reasons[name] = 'it matches no other photo'
        elif models and name not in known:
            reasons[name] = 'the reconstruction did not find its pose'
        else:
            reasons[name] = 'it shares too few points with any other photo'
    return reasons
