"""Making a whole world: images, correspondences, map and lists."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2

from ..settings import (
    TRAVERSALS,
    ImageKey,
    WorldSettings,
    image_name,
    pair_name,
)
from .colmap import write_map
from .images import make_image, write_lines
from .matches import make_pair

_SETTINGS_FILE = 'world.json'
_COMPLETE_FILE = 'complete.json'


def generate_world(
    root: Path,
    settings: WorldSettings,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a world; images that are there already are kept.

    Args:
        root: Folder of the world; made if needed.
        settings: What to make.
        workers: Number of processes. The files do not depend on it.
        progress: Called with the number of images done and of all.

    Returns:
        `root`.

    Raises:
        ValueError: The folder holds a world with other settings, or
            `workers` is below 1.
    """
    if workers < 1:
        raise ValueError(
            f'`workers` should be at least 1, but got {workers!r}. '
            'Give the number of processes.'
        )
    root = Path(root)
    _claim(root, settings)
    keys = settings.image_keys()
    pairs = [key for key in keys if key.traversal]
    with _mapping(workers) as map_unordered:
        images = map_unordered(partial(make_image, settings, root), keys)
        for done, _ in enumerate(images, 1):
            if progress:
                progress(done, len(keys))
        matches = list(
            map_unordered(partial(make_pair, settings, root), pairs)
        )
    write_lists(root, settings)
    write_map(settings, root)
    summary = dict(images=len(keys), pairs=len(pairs), matches=sum(matches))
    write_lines(root / _COMPLETE_FILE, [json.dumps(summary, indent=2)])
    return root


def _claim(root: Path, settings: WorldSettings) -> None:
    """Write the settings, or see that they are those of before."""
    path = root / _SETTINGS_FILE
    wanted = asdict(settings)
    if path.exists():
        found = json.loads(path.read_text())
        if found != wanted:
            other = [k for k in wanted if found.get(k) != wanted[k]]
            raise ValueError(
                f'`settings` should be those of {path}, but got other values '
                f'of {other!r}. Choose another folder or remove this one.'
            )
        return
    write_lines(path, [json.dumps(wanted, indent=2)])


@contextmanager
def _mapping(workers: int) -> Iterator[Callable]:
    """A `map` that deals the work out to processes, in any order."""
    if workers == 1:
        yield map
        return
    # Forked workers start at once; where there is no fork the default does.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context(
        'fork' if 'fork' in methods else None
    )
    with context.Pool(
        workers, initializer=cv2.setNumThreads, initargs=(0,)
    ) as pool:
        yield pool.imap_unordered


def write_lists(root: Path, settings: WorldSettings) -> None:
    """Write the lists of pairs and of images.

    `corr_{train,val}.txt`, `corr_val_<traversal>.txt` and
    `reference_image_names.txt` as for the published sets;
    `lists/seg_{train,val}.txt` and `lists/seg_{train,val}_<traversal>.txt`
    with image names without extension, as mmseg's `ann_file` wants them;
    `lists/conditions.txt` with the condition of every image.
    """

    def is_train(key: ImageKey) -> bool:
        return key.street < settings.train_streets

    keys = settings.image_keys()
    for part in ('train', 'val'):
        mine = [k for k in keys if is_train(k) == (part == 'train')]
        targets = [k for k in mine if k.traversal]
        write_lines(root / f'corr_{part}.txt', map(pair_name, targets))
        write_lines(root / 'lists' / f'seg_{part}.txt', map(image_name, mine))
        for number, traversal in enumerate(TRAVERSALS):
            some = [k for k in mine if k.traversal == number]
            path = root / 'lists' / f'seg_{part}_{traversal.name}.txt'
            write_lines(path, map(image_name, some))
            if number:
                path = root / 'lists' / f'corr_{part}_{traversal.name}.txt'
                write_lines(path, map(pair_name, some))
    references = [k for k in keys if k.traversal == 0 and is_train(k)]
    names = [f'{image_name(k)}.jpg' for k in references]
    write_lines(root / 'reference_image_names.txt', names)
    write_lines(
        root / 'lists' / 'conditions.txt',
        (
            f'{image_name(k)}.jpg {" ".join(TRAVERSALS[k.traversal])}'
            for k in keys
        ),
    )
