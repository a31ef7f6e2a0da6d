"""Photos on disk: finding them, reading them as stored, writing pictures."""

from __future__ import annotations

import io
import os
import os.path as osp
from collections.abc import Iterator

import cv2
import mmcv
import mmengine.fileio as fileio
import numpy as np
from PIL import Image

from ..files import check_file, whole_file

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.ppm', '.tif', '.tiff')
#: How photos are read: eight bits, BGR, and not turned by what EXIF says, as
#: COLMAP, hloc and the published correspondences have them.
AS_STORED = 'color_ignore_orientation'
# Marks of a JPEG: begin of an image, of its pixels, end of the image.
_BEGIN, _PIXELS, _END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'


def list_images(folder: str) -> list[str]:
    """Find all images of a folder, recursively.

    Links to folders are followed, each folder once. The ``._name.jpg`` that
    macOS leaves beside its files are no images.

    Args:
        folder: Folder to look into.

    Returns:
        Paths relative to the folder, forward slashes, sorted.

    Raises:
        FileNotFoundError: There is no such folder, or no image in it.
    """
    if not osp.isdir(folder):
        raise FileNotFoundError(
            f'`images` should be a folder of images, but got {folder!r}, '
            'which is not there.'
        )
    names = []
    for place, files in _folders(folder):
        for name in files:
            if name.lower().endswith(IMAGE_SUFFIXES) and is_own_file(name):
                path = osp.relpath(osp.join(place, name), folder)
                names.append(path.replace(os.sep, '/'))
    if not names:
        raise FileNotFoundError(
            f'`images` should be a folder of images, but got {folder!r} '
            f'without any file that ends in one of {IMAGE_SUFFIXES}.'
        )
    return sorted(names)


def is_own_file(name: str) -> bool:
    """Whether a file name is not one that macOS adds to another file."""
    return not name.startswith('._')


def _folders(root: str) -> Iterator[tuple[str, list[str]]]:
    """Every folder below once, whatever the links, and its files."""
    seen = {osp.realpath(root)}
    for place, folders, files in os.walk(root, followlinks=True):
        # Sorted: which of several names of a folder is taken is no accident.
        folders.sort()
        fresh = []
        for name in folders:
            real = osp.realpath(osp.join(place, name))
            if real not in seen:
                seen.add(real)
                fresh.append(name)
        folders[:] = fresh
        yield place, files


def read_image(
    path: str,
    flag: str | int = AS_STORED,
    backend: str = 'cv2',
    backend_args: dict | None = None,
    name: str = 'img_path',
) -> np.ndarray:
    """Read an image.

    Args:
        path: The file.
        flag: See :func:`mmcv.imfrombytes`. Defaults to colour, not turned.
        backend: See :func:`mmcv.imfrombytes`. Defaults to 'cv2'.
        backend_args: Arguments of mmengine's file backend. Defaults to None.
        name: Of the argument and where it came from, for messages.

    Returns:
        (H, W, 3) uint8, BGR, unless the flag says otherwise.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no image, or it was cut off.
    """
    return decode_image(
        read_bytes(path, backend_args, name), path, flag, backend, name
    )


def read_bytes(
    path: str, backend_args: dict | None = None, name: str = 'img_path'
) -> bytes:
    """Read a file of mmengine's file backend; see :func:`read_image`."""
    if backend_args is None and '://' not in path:
        check_file(path, name, 'an image file')
    try:
        return fileio.get(path, backend_args=backend_args)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'`{name}` should be an image file, but got {path!r}, which is '
            'not there. Check the folder and the name.'
        ) from error


def decode_image(
    data: bytes,
    path: str,
    flag: str | int = AS_STORED,
    backend: str = 'cv2',
    name: str = 'img_path',
) -> np.ndarray:
    """Decode what :func:`read_bytes` read; see :func:`read_image`."""
    reason = _reason_against(data)
    image = None
    if not reason:
        try:
            image = mmcv.imfrombytes(data, flag=flag, backend=backend)
        except (cv2.error, OSError, ValueError, SyntaxError) as error:
            reason = ' '.join(str(error).split())
    if image is None:
        reason = reason or 'not in a known format'
        raise ValueError(
            f'`{name}` should be a readable image, but got {path!r} '
            f'({reason}). Fetch the file again.'
        )
    return image


def _reason_against(data: bytes) -> str:
    """What is wrong with a file before it is decoded, '' if nothing is."""
    if not data:
        return 'it is empty'
    # A JPEG or PNG that ends early would be filled up with grey.
    cut = data.startswith(b'\x89PNG') and b'IEND' not in data
    if data.startswith(_BEGIN):
        # Inside of the pixels neither mark can stand.
        cut = data.rfind(_END) < data.rfind(_PIXELS)
    if cut:
        return 'it is cut off'
    try:
        # Reads the header only, and refuses more than 179 million pixels.
        Image.open(io.BytesIO(data)).close()
    except Image.DecompressionBombError as error:
        return str(error)
    except Exception:
        return ''  # the decoder is to judge
    return ''


def write_image(path: str, image: np.ndarray) -> None:
    """Write a picture, whole or not at all, whatever the file's name.

    Args:
        path: File to write; its ending decides the format, its folder is
            made.
        image: (H, W, 3) uint8, BGR, or (H, W).

    Raises:
        ValueError: The format cannot hold it.
        OSError: There is no room, or no permission.
    """
    try:
        done, data = cv2.imencode(osp.splitext(path)[1], image)
    except cv2.error:
        done = False
    if not done:
        raise ValueError(
            '`path` should end in the suffix of an image format that holds '
            f'{image.dtype} {image.shape}, but got {path!r}. Use .png.'
        )
    with whole_file(path) as part, open(part, 'wb') as file:
        file.write(data.tobytes())
