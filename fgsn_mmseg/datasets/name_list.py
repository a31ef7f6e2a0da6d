"""Lists of names, and what a name means where it is not quite right."""

from __future__ import annotations

import codecs
import os
import os.path as osp
from collections.abc import Iterable, Sequence

from ..files import check_file, whole_file
from .image_file import IMAGE_SUFFIXES

_MARKS = {
    codecs.BOM_UTF8: 'utf-8-sig',
    codecs.BOM_UTF16_LE: 'utf-16',
    codecs.BOM_UTF16_BE: 'utf-16',
}


def read_names(path: str) -> list[str]:
    """Read a list file.

    Args:
        path: Text, one name a line; UTF-8, or UTF-16 with its byte order
            mark.

    Returns:
        The names, in the order of the file, without empty lines.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is text of another encoding, or no text.
    """
    check_file(path, 'path', 'a text file with one name a line')
    with open(path, 'rb') as file:
        data = file.read()
    encoding = next(
        (name for mark, name in _MARKS.items() if data.startswith(mark)),
        'utf-8',
    )
    try:
        text = data.decode(encoding)
        wrong = '\0' in text
    except UnicodeDecodeError:
        wrong = True
    if wrong:
        raise ValueError(
            '`path` should be a text file with one name a line, in UTF-8, but '
            f'got {path!r} in another encoding. Save it as UTF-8.'
        )
    lines = text.replace('\r', '\n').split('\n')
    return [line.strip() for line in lines if line.strip()]


def write_names(path: str, names: Iterable[str]) -> None:
    """Write a list file; it appears whole or not at all.

    Args:
        path: Text file to write, one name a line.
        names: The names.
    """
    with (
        whole_file(path) as part,
        open(part, 'w', encoding='utf-8', newline='\n') as file,
    ):
        file.writelines(f'{name}\n' for name in names)


def match_names(
    names: Sequence[str], present: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Find listed files in a folder, also where a list comes from elsewhere.

    A list may have backslashes, name the folder too, leave out the suffix or
    have another one, or write it in capitals.

    Args:
        names: As listed.
        present: File names of the folder.

    Returns:
        A name of ``present`` for each one that is there, else the name as
        listed; and the listed names that are not there or could be several.
    """
    exact = set(present)
    stems: dict[str, list[str]] = {}
    found, missing = [], []
    for name in names:
        if name not in exact:
            if not stems:
                for file in sorted(exact):
                    stems.setdefault(osp.splitext(file)[0], []).append(file)
            base = name.replace('\\', '/').rsplit('/', 1)[-1]
            fitting = {base} & exact or {
                *stems.get(osp.splitext(base)[0], ()),
                *stems.get(base, ()),
            }
            if len(fitting) == 1:
                name = fitting.pop()
            else:
                missing.append(name)
        found.append(name)
    return found, missing


class ImageNames:
    """Images under the names that lists may have for them.

    Beside their paths, with or without extension, that is the authors'
    ``<first>_<third>`` of a path's three parts: ``a/b/c.jpg`` is also
    ``a/b/c``, ``a_c.jpg`` and ``a_c``.

    Args:
        images: Paths relative to the folder of images.
    """

    def __init__(self, images: Iterable[str]) -> None:
        self._images: dict[str, list[str]] = {}
        for image in dict.fromkeys(images):
            parts = image.split('/')
            short = f'{parts[0]}_{parts[-1]}' if len(parts) > 1 else image
            for form in {image, short}:
                for alias in (form, osp.splitext(form)[0]):
                    self._images.setdefault(alias, []).append(image)

    def find(self, name: str) -> list[str]:
        """Images that a name means, most often one or none."""
        name = name.replace('\\', '/').removeprefix('./')
        for form in (name, name.removeprefix('images/')):
            for alias in (form, osp.splitext(form)[0]):
                if alias in self._images:
                    return self._images[alias]
        return []


def similar_images(path: str) -> list[str]:
    """Images that a path may mean that is not there.

    RobotCar's lists say ``.png`` where the published images are ``.jpg``;
    others write capitals, backslashes, or the folder of images twice.

    Args:
        path: Path that a list or a pair file gives.

    Returns:
        Paths of files, most often one or none.
    """
    path = path.replace('\\', '/')
    parts = path.split('/')
    once = [
        part
        for i, part in enumerate(parts)
        if i == 0 or part != parts[i - 1] or i == len(parts) - 1
    ]
    forms = list(dict.fromkeys([path, '/'.join(once)]))
    exact = [form for form in forms if osp.isfile(form)]
    if exact:
        return exact
    found: dict[tuple[int, int], str] = {}
    for form in forms:
        for stem in (form, osp.splitext(form)[0]):
            for suffix in IMAGE_SUFFIXES:
                for file in (stem + suffix, stem + suffix.upper()):
                    if osp.isfile(file):
                        state = os.stat(file)
                        # Where capitals do not matter both are one.
                        found.setdefault((state.st_dev, state.st_ino), file)
    return list(found.values())
