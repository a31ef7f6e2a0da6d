"""Images as people have them, and what is right for each."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 60, 90
"""Of all images, as stored, but for those whose name says otherwise."""
COLOURS = np.array([[200, 40, 30], [30, 160, 50], [40, 60, 180], [220] * 3])


def pattern():
    """(H, W, 3) uint8 RGB: four quarters, each of one colour."""
    rows = np.arange(HEIGHT) * 2 // HEIGHT
    columns = np.arange(WIDTH) * 2 // WIDTH
    return COLOURS[2 * rows[:, None] + columns].astype(np.uint8)


def make(folder):
    """Write the images.

    Returns:
        dict: file name -> what it should be: (H, W, 3) RGB, or None where it
        is to be refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rgb = pattern()
    photo = Image.fromarray(rgb)
    grey = np.asarray(photo.convert('L'))
    grey_rgb = np.repeat(grey[..., None], 3, 2)
    right: dict = {}

    def save(name, image, expected, **options):
        image.save(folder / name, **options)
        right[name] = expected

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        name = f'exif_{orientation}.jpg'
        save(name, photo, rgb, exif=exif, quality=95)
    save('grey.png', Image.fromarray(grey), grey_rgb)
    save('grey.jpg', Image.fromarray(grey), grey_rgb, quality=95)
    save('palette.png', photo.quantize(16), rgb)
    alpha = np.dstack([rgb, np.full(grey.shape, 128, np.uint8)])
    save('alpha.png', Image.fromarray(alpha), rgb)
    sixteen = Image.fromarray(grey.astype(np.uint16) * 257)
    save('16_bit.png', sixteen, grey_rgb)
    save('cmyk.jpg', photo.convert('CMYK'), rgb, quality=95)
    save('progressive.jpg', photo, rgb, quality=95, progressive=True)
    save('1x1.png', Image.fromarray(rgb[:1, :1]), rgb[:1, :1])
    save('a.bmp', photo, rgb)
    save('a.tif', photo, rgb)
    jpg = (folder / 'exif_1.jpg').read_bytes()
    png = (folder / 'grey.png').read_bytes()
    wrong = {
        'truncated.jpg': jpg[: len(jpg) * 2 // 3],
        'truncated.png': png[: len(png) * 2 // 3],
        'header_only.jpg': jpg[:300],
        'zero_bytes.jpg': b'',
        'no_image.jpg': b'<html>not found</html>' * 20,
        'huge_header.png': _huge(60_000),
        'very_huge_header.png': _huge(2_000_000),
    }
    for name, data in wrong.items():
        (folder / name).write_bytes(data)
        right[name] = None
    os.mkfifo(folder / 'pipe.jpg')
    right['pipe.jpg'] = None
    # To a short side of 1024 it would have 131 million pixels.
    strip = Image.fromarray(np.tile(rgb[:8, :1], (1, 1000, 1)))
    save('8x1000.png', strip, None)
    return right


def _huge(side):
    """A PNG that declares side x side pixels and holds none."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return (
            struct.pack('>I', len(data))
            + kind
            + data
            + struct.pack('>I', check)
        )

    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', header)
        + chunk(b'IDAT', zlib.compress(b'\0' * 100))
        + chunk(b'IEND', b'')
    )


def word(image, expected):
    """What came out: 'right', or how it differs.

    Args:
        image: (H, W, 3) RGB, or the text of an error.
        expected: (H, W, 3) RGB, or None.
    """
    if isinstance(image, str):
        return 'refused'
    if expected is None:
        return 'taken'
    if image.shape != expected.shape:
        turned = image.shape[:2] == expected.shape[1::-1]
        return 'turned' if turned else f'shape {image.shape}'
    # Borders between the quarters aside, whatever JPEG does.
    difference = np.abs(image.astype(int) - expected).max(-1)
    share = (difference < 40).mean()
    return 'right' if share > 0.9 else f'{1 - share:.0%} of pixels wrong'
