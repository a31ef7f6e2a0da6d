from __future__ import annotations

import codecs

import pytest

from fgsn_mmseg.datasets.name_list import (
    ImageNames,
    match_names,
    read_names,
    similar_images,
    write_names,
)


def test_lists_survive_the_disk(tmp_path):
    path = tmp_path / 'corr_train.txt'
    write_names(str(path), ['b.mat', 'a.mat'])
    assert path.read_bytes() == b'b.mat\na.mat\n'
    path.write_bytes(b'b.mat\r\n\r\n a.mat')
    assert read_names(str(path)) == ['b.mat', 'a.mat']
    assert [p.name for p in tmp_path.iterdir()] == ['corr_train.txt']


@pytest.mark.parametrize(
    'data',
    [
        'ä.mat\nb.mat\n'.encode(),
        codecs.BOM_UTF8 + 'ä.mat\nb.mat\n'.encode(),
        'ä.mat\r\nb.mat\r\n'.encode('utf-16'),
        codecs.BOM_UTF16_BE + 'ä.mat\rb.mat'.encode('utf-16-be'),
    ],
)
def test_encodings(tmp_path, data):
    path = tmp_path / 'list.txt'
    path.write_bytes(data)
    assert read_names(str(path)) == ['ä.mat', 'b.mat']


@pytest.mark.parametrize(
    'data',
    [
        'ä.mat\n'.encode('latin-1'),
        'b.mat\n'.encode('utf-16-le'),
        codecs.BOM_UTF16_LE + b'odd',
        b'a\0b\n',
    ],
)
def test_other_encodings_are_named(tmp_path, data):
    path = tmp_path / 'list.txt'
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r'list\.txt.*Save it as UTF-8'):
        read_names(str(path))


def test_missing_list(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'x\.txt'):
        read_names(str(tmp_path / 'x.txt'))
    with pytest.raises(ValueError, match='no regular file'):
        read_names(str(tmp_path))


def test_listed_files_are_found():
    present = ['a--b.mat', 'c--d.mat', 'E.MAT', 'x.mat', 'x.h5', 'y.h5', 'y']
    listed = {
        'a--b.mat': 'a--b.mat',
        'c--d': 'c--d.mat',
        'correspondence_data/c--d.mat': 'c--d.mat',
        '..\\correspondence_data\\a--b.mat': 'a--b.mat',
        'E.mat': 'E.MAT',
        'y': 'y',
    }
    found, missing = match_names(list(listed), present)
    assert found == list(listed.values()) and missing == []
    # Of two nobody knows which.
    found, missing = match_names(['x.txt', 'z.mat', 'x.h5'], present)
    assert found == ['x.txt', 'z.mat', 'x.h5']
    assert missing == ['x.txt', 'z.mat']


def test_reference_names():
    names = ImageNames(['r1/c0/x.jpg', 'r2/c0/y.png', 'r2/c1/y.png', 'z.jpg'])
    for name in (
        'r1/c0/x.jpg',
        'r1/c0/x.png',  # as RobotCar's lists have it
        'r1_x',
        'images/r1/c0/x.jpg',
        'r1\\c0\\x.jpg',
        './r1/c0/x.JPG',
    ):
        assert names.find(name) == ['r1/c0/x.jpg']
    assert names.find('r2_y.png') == ['r2/c0/y.png', 'r2/c1/y.png']
    assert names.find('z') == ['z.jpg'] and names.find('z.jpg_z.jpg') == []
    assert names.find('r1/c0/q.jpg') == []


def test_similar_images(tmp_path):
    folder = tmp_path / 'images/s'
    folder.mkdir(parents=True)
    for name in ('a.jpg', 'b.JPG', 'c.jpg', 'c.tif', 'd.e.png'):
        (folder / name).touch()
    for given, found in {
        's/a.png': ['a.jpg'],
        's/a': ['a.jpg'],
        's/b.jpg': ['b.JPG'],
        'images/s/a.jpg': ['a.jpg'],
        's\\a.jpg': ['a.jpg'],
        'images\\s\\b.png': ['b.JPG'],
        's/c.png': ['c.jpg', 'c.tif'],
        's/d.e': ['d.e.png'],
        's/q.png': [],
    }.items():
        got = similar_images(f'{tmp_path}/images/{given}')
        assert got == [f'{folder}/{name}' for name in found], given
