"""Files that appear under their name when they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[str]:
    """Write beside a file's place, then move it there.

    Whoever dies on the way leaves the old file as it was, or none; what is
    left under ``<path>.part`` is overwritten by the next try. One process at
    a time writes a file.

    Args:
        path: The file; its folder is made.

    Yields:
        Path to write to.
    """
    path = os.path.abspath(os.fspath(path))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f'{path}.part'
    try:
        yield part
        # Some file systems move first and write later: after a power cut
        # there would be an empty file.
        with open(part, 'rb') as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.unlink(part)
