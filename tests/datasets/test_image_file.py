from __future__ import annotations

import os

import numpy as np
import pytest

from fgsn_mmseg.datasets import list_images, read_image, write_image
from fgsn_mmseg.files import whole_file


def test_links_to_folders_are_followed_once(tmp_path):
    (tmp_path / 'a/b').mkdir(parents=True)
    (tmp_path / 'a/b/x.JPG').touch()
    (tmp_path / 'y.png').touch()
    (tmp_path / 'a/up').symlink_to(tmp_path)
    (tmp_path / 'a/b/me').symlink_to(tmp_path / 'a/b')
    outside = tmp_path.parent / f'{tmp_path.name}_outside'
    (outside / 'deep').mkdir(parents=True)
    (outside / 'z.tif').touch()
    # Two links that name each other's folders never end.
    (outside / 'deep/back').symlink_to(tmp_path)
    (tmp_path / 'there').symlink_to(outside)
    (tmp_path / 'twice').symlink_to(outside)
    (tmp_path / 'lost').symlink_to(tmp_path / 'nothing')
    names = ['a/b/x.JPG', 'there/z.tif', 'y.png']
    assert list_images(str(tmp_path)) == names


def test_what_macos_adds_is_no_image(tmp_path):
    (tmp_path / '._a.png').touch()
    with pytest.raises(FileNotFoundError, match='without any file'):
        list_images(str(tmp_path))
    (tmp_path / 'a.png').touch()
    assert list_images(str(tmp_path)) == ['a.png']


def test_names_that_are_not_utf8(tmp_path):
    folder = os.fsencode(tmp_path) + b'/caf\xe9'
    name = os.fsdecode(folder + b'/\xff.png')
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    write_image(name, image)
    assert os.listdir(folder) == [b'\xff.png']
    np.testing.assert_array_equal(read_image(name), image)
    assert [os.fsencode(n) for n in list_images(str(tmp_path))] == [
        b'caf\xe9/\xff.png'
    ]


def test_a_picture_appears_whole_or_not_at_all(tmp_path):
    path = str(tmp_path / 'new/a.png')
    write_image(path, np.zeros((4, 5), np.uint8))
    before = (tmp_path / 'new/a.png').read_bytes()
    for suffix, image in (
        ('.nothing', np.zeros((4, 5), np.uint8)),
        ('.jpg', np.zeros((4, 5, 7))),
    ):
        with pytest.raises(ValueError, match=f'x{suffix}'):
            write_image(str(tmp_path / f'new/x{suffix}'), image)
    # A disk that is full while the file is written.
    full = OSError(28, 'No space left on device')
    with pytest.raises(OSError, match='No space'), whole_file(path) as part:
        with open(part, 'wb') as file:
            file.write(before[:9])
        raise full
    assert os.listdir(tmp_path / 'new') == ['a.png']
    assert (tmp_path / 'new/a.png').read_bytes() == before


def test_a_real_disk_that_is_full(tmp_path):
    if not os.path.exists('/dev/full'):
        pytest.skip('there is no /dev/full')
    path = tmp_path / 'a.txt'
    with pytest.raises(OSError, match='No space'), whole_file(path) as part:
        os.symlink('/dev/full', part)
        with open(part, 'wb') as file:
            file.write(b'x' * 100_000)
    assert os.listdir(tmp_path) == []


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'p.jpg')
    with pytest.raises(ValueError, match=r'p\.jpg.*no regular file'):
        read_image(str(tmp_path / 'p.jpg'))


def test_old_file_stays_until_the_new_one_is_there(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with whole_file(path) as part, open(part, 'w') as file:
        file.write('new')
        file.flush()
        assert path.read_text() == 'old'
    assert path.read_text() == 'new'
    # Any name that the file system takes.
    long = tmp_path / ('x' * 255)
    with whole_file(long) as part, open(part, 'w') as file:
        file.write('new')
    assert long.read_text() == 'new'
