from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from fgsn_mmseg.datasets import read_pair_file, write_pair_file


def make_pair(count, seed=0):
    rng = np.random.default_rng(seed)
    return dict(
        img_path='slice2/ref/img_1.jpg',
        img_path2='slice2/winter/bild_ä.jpg',
        points=rng.uniform(-1, 900, (count, 2)),
        points2=rng.uniform(-1, 900, (count, 2)),
        dist_from_center=rng.uniform(0, 2, count),
    )


def write_raw(path, pair, attrs=None, **changes):
    """A file of another writer: h5py alone, no attributes."""
    entries = dict(
        im_i_path=codes(pair['img_path'])[:, None],
        im_j_path=codes(pair['img_path2'])[:, None],
        pt_i=pair['points'],
        pt_j=pair['points2'],
        dist_from_center=pair['dist_from_center'][None],
    )
    entries.update(changes)
    with h5py.File(path, 'w') as file:
        for name, value in entries.items():
            if value is not None:
                file[name] = value
                for key, attribute in (attrs or {}).items():
                    file[name].attrs[key] = attribute
    return path


def codes(text):
    return np.array([ord(c) for c in text], dtype=np.uint16)


def assert_equal(read, pair):
    assert set(read) == set(pair)
    for key, value in pair.items():
        if isinstance(value, str):
            assert read[key] == value
        else:
            assert read[key].dtype == np.float64
            np.testing.assert_array_equal(read[key], value)


@pytest.mark.parametrize('count', [0, 1, 2, 3, 209])
def test_round_trip(tmp_path, count):
    pair = make_pair(count)
    path = tmp_path / 'new' / 'a--b.mat'
    write_pair_file(path, pair)
    assert_equal(read_pair_file(path), pair)
    assert [p.name for p in path.parent.iterdir()] == ['a--b.mat']


def test_written_layout_is_the_published_one(tmp_path):
    pair = make_pair(5)
    write_pair_file(tmp_path / 'a.mat', pair)
    with h5py.File(tmp_path / 'a.mat') as file:
        length = len(pair['img_path'])
        assert file['im_i_path'].shape == (length, 1)
        assert file['im_i_path'].dtype == np.uint16
        assert file['im_i_path'][0, 0] == ord('s')
        assert file['pt_i'].shape == file['pt_j'].shape == (5, 2)
        assert file['pt_i'].dtype == np.float64
        assert file['dist_from_center'].shape == (1, 5)
        assert file['dist_from_center'].dtype == np.float64
        assert file['pt_j'][3, 0] == pair['points2'][3, 0]


def test_same_pair_same_bytes(tmp_path):
    for name in ('a.mat', 'b.mat'):
        write_pair_file(tmp_path / name, make_pair(4))
    first, second = ((tmp_path / n).read_bytes() for n in ('a.mat', 'b.mat'))
    assert first == second


@pytest.mark.parametrize('count', [0, 1, 3, 7])
def test_other_writers(tmp_path, count):
    pair = make_pair(count)
    path = write_raw(
        tmp_path / 'a.mat',
        pair,
        im_i_path=codes(pair['img_path']),
        pt_i=pair['points'].T,
        dist_from_center=pair['dist_from_center'][:, None],
        something_else=np.zeros(3),
    )
    with h5py.File(path, 'a') as file:
        file.create_group('#refs#')
    assert_equal(read_pair_file(path), pair)


def test_published_layout_without_attributes(tmp_path):
    pair = make_pair(4)
    assert_equal(read_pair_file(write_raw(tmp_path / 'a.mat', pair)), pair)


@pytest.mark.parametrize('transposed', [False, True])
@pytest.mark.parametrize('attrs', [{}, dict(MATLAB_class=np.bytes_('double'))])
def test_two_points_of_others_are_refused(tmp_path, attrs, transposed):
    # With three points either writer is understood, with two neither is.
    for count in (3, 2):
        pair = make_pair(count)
        points = {
            key: pair[name].T if transposed else pair[name]
            for key, name in (('pt_i', 'points'), ('pt_j', 'points2'))
        }
        path = write_raw(tmp_path / f'{count}.mat', pair, attrs, **points)
        if count == 3:
            assert_equal(read_pair_file(path), pair)
    with pytest.raises(ValueError, match=r'pt_i.*\(2, 2\).*2\.mat'):
        read_pair_file(path)


def test_matlabs_empty_arrays(tmp_path):
    # MATLAB stores the two lengths of an empty array, not its values.
    pair = make_pair(0)
    path = write_raw(tmp_path / 'a.mat', pair)
    with h5py.File(path, 'a') as file:
        for name in ('pt_i', 'pt_j', 'dist_from_center'):
            del file[name]
            file[name] = np.array([2, 0], dtype=np.uint64)
            file[name].attrs['MATLAB_empty'] = np.uint8(1)
    assert_equal(read_pair_file(path), pair)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(pt_j=None), '`pt_j` should be a dataset'),
        (dict(dist_from_center=None), '`dist_from_center` should be'),
        (dict(pt_i=np.zeros((4, 3))), r'`pt_i`.*\(4, 3\)'),
        (dict(pt_i=np.zeros(2)), r'`pt_i`.*\(2,\)'),
        (dict(pt_i=np.zeros((4, 2))), r'number.*\(4, 3, 3\)'),
        (dict(pt_j=np.full((3, 2), np.nan)), '`pt_j`.*finite'),
        (dict(pt_j=np.zeros((3, 2), 'S1')), '`pt_j`.*numbers'),
        (dict(dist_from_center=np.zeros((2, 3))), '`dist_from_center`'),
        (dict(im_i_path=np.zeros((2, 3), np.uint16)), '`im_i_path`'),
        (dict(im_j_path=np.zeros((0, 1), np.uint16)), '`im_j_path`'),
        (dict(im_j_path=b'a/b.jpg'), '`im_j_path`'),
        (dict(im_j_path=np.array([0xD800], np.uint16)), '`im_j_path`.*UTF'),
    ],
)
def test_wrong_contents(tmp_path, changes, message):
    path = write_raw(tmp_path / 'bad.mat', make_pair(3), **changes)
    with pytest.raises(ValueError, match=message) as caught:
        read_pair_file(path)
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.mat'):
        read_pair_file(tmp_path / 'nowhere.mat')
    text = tmp_path / 'text.mat'
    text.write_text('not HDF5')
    cut = tmp_path / 'cut.mat'
    write_pair_file(cut, make_pair(300))
    cut.write_bytes(cut.read_bytes()[:3000])
    for path in (text, cut):
        with pytest.raises(ValueError, match='readable HDF5') as caught:
            read_pair_file(path)
        assert str(path) in str(caught.value)
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('changes', 'error'),
    [
        (dict(points=np.zeros((2, 4))), ValueError),
        (dict(points2=np.zeros((4, 2))), ValueError),
        (dict(points2=np.full((3, 2), np.inf)), ValueError),
        (dict(dist_from_center=np.zeros(2)), ValueError),
        (dict(img_path=''), ValueError),
    ],
)
def test_writing_refuses(tmp_path, changes, error):
    with pytest.raises(error, match=r'a\.mat'):
        write_pair_file(tmp_path / 'a.mat', {**make_pair(3), **changes})
    pair = make_pair(3)
    del pair['img_path2']
    with pytest.raises(KeyError, match='img_path2'):
        write_pair_file(tmp_path / 'a.mat', pair)
    assert list(tmp_path.iterdir()) == []


def test_backslashes_become_slashes(tmp_path):
    pair = make_pair(1)
    pair['img_path'] = 'a\\b\\c.jpg'
    write_pair_file(tmp_path / 'a.mat', pair)
    assert read_pair_file(tmp_path / 'a.mat')['img_path'] == 'a/b/c.jpg'


def test_real_files(sacre_coeur):
    files = sorted((sacre_coeur / 'correspondence_data').glob('*.mat'))
    assert len(files) == 80
    for path in files[::8]:
        pair = read_pair_file(path)
        stem, stem2 = path.stem.split('--')
        assert pair['img_path'] == f'sacre_coeur/mapping/{stem}.jpg'
        assert pair['img_path2'] == f'sacre_coeur/mapping/{stem2}.jpg'
        assert len(pair['points']) >= 32
        assert (sacre_coeur / 'images' / pair['img_path']).is_file()


@pytest.mark.parametrize('fill', [0, 32])
def test_padded_paths(tmp_path, fill):
    pair = make_pair(3)
    padded = np.append(codes(pair['img_path']), [fill] * 9)
    path = write_raw(tmp_path / 'a.mat', pair, im_i_path=padded[:, None])
    assert_equal(read_pair_file(path), pair)


def test_backslashes_of_other_writers(tmp_path):
    pair = make_pair(3)
    name = codes(pair['img_path'].replace('/', '\\'))
    path = write_raw(tmp_path / 'a.mat', pair, im_i_path=name)
    assert_equal(read_pair_file(path), pair)


@pytest.mark.parametrize(
    'wrong',
    [
        # A MATLAB string object; its first number is a mark of its own.
        np.array([[3707764736, 2, 1, 1, 1, 1]], np.uint32),
        np.array([97, -5, 98], np.int64),
        np.array([97, 0, 98], np.uint16),
        np.array([97, 10, 98], np.uint16),
        np.array([97, 70000], np.int32),
        np.array([32, 32], np.uint16),
        np.zeros(3, np.uint16),
        np.array([97.0, 98.0]),
    ],
)
def test_character_codes(tmp_path, wrong):
    path = write_raw(tmp_path / 'bad.mat', make_pair(3), im_j_path=wrong)
    with pytest.raises(ValueError, match=r'im_j_path.*bad\.mat.*as char'):
        read_pair_file(path)


def test_numbers_that_a_weight_cannot_be_made_of(tmp_path):
    dist = np.array([[0.5, -0.1, 1]])
    path = write_raw(tmp_path / 'a.mat', make_pair(3), dist_from_center=dist)
    with pytest.raises(
        ValueError, match=r'at least 0, but got -0\.1 .*a\.mat'
    ):
        read_pair_file(path)
    for huge in (np.longdouble('1e4000'), 1e300, -1e39, np.inf):
        points = np.full((3, 2), huge)
        path = write_raw(tmp_path / 'a.mat', make_pair(3), pt_j=points)
        with pytest.raises(ValueError, match=r'pt_j.*finite.*a\.mat'):
            read_pair_file(path)


def test_big_endian_is_read(tmp_path):
    pair = make_pair(3)
    path = write_raw(
        tmp_path / 'a.mat',
        pair,
        pt_i=pair['points'].astype('>f8'),
        im_i_path=codes(pair['img_path']).astype('>u2'),
    )
    assert_equal(read_pair_file(path), pair)


def test_declared_sizes_are_not_believed(tmp_path):
    path = write_raw(tmp_path / 'a.mat', make_pair(3), pt_i=None)
    with h5py.File(path, 'a') as file:
        file.create_dataset('pt_i', (10**11, 2), chunks=(1000, 2))
    with pytest.raises(ValueError, match=r'pt_i.*at most 2000000 .*a\.mat'):
        read_pair_file(path)
    path = write_raw(tmp_path / 'b.mat', make_pair(3))
    with pytest.raises(ValueError, match=r'pt_i.*at most 4 .*\(3, 2\)'):
        read_pair_file(path, max_points=2)
    # Few values, but in a chunk of 4 GB.
    path = write_raw(tmp_path / 'c.mat', make_pair(3), pt_i=None)
    with h5py.File(path, 'a') as file:
        file.create_dataset(
            'pt_i', (3, 2), chunks=(2**28, 2), maxshape=(None, 2)
        )
    with pytest.raises(ValueError, match=r'pt_i.*c\.mat'):
        read_pair_file(path)


def test_nothing_is_read_from_elsewhere(tmp_path):
    other = write_raw(tmp_path / 'other.mat', make_pair(3))
    os.mkfifo(tmp_path / 'pipe')
    links = dict(
        external=h5py.ExternalLink(str(other), '/pt_i'),
        pipe=h5py.ExternalLink(str(tmp_path / 'pipe'), '/pt_i'),
        soft=h5py.SoftLink('/pt_j'),
    )
    for name, link in links.items():
        path = write_raw(tmp_path / f'{name}.mat', make_pair(3), pt_i=None)
        with h5py.File(path, 'a') as file:
            file['pt_i'] = link
        with pytest.raises(ValueError, match=rf'pt_i.*{name}\.mat.* a link'):
            read_pair_file(path)
    path = write_raw(tmp_path / 'raw.mat', make_pair(3), pt_i=None)
    with h5py.File(path, 'a') as file:
        raw = [(str(tmp_path / 'pipe'), 0, 48)]
        file.create_dataset('pt_i', (3, 2), 'f8', external=raw)
    with pytest.raises(ValueError, match=r'pt_i.*raw\.mat.*another file'):
        read_pair_file(path)
    with pytest.raises(ValueError, match=r'pipe.*no regular file'):
        read_pair_file(tmp_path / 'pipe')


def test_older_files_of_matlab(tmp_path):
    path = tmp_path / 'old.mat'
    path.write_bytes(b'MATLAB 5.0 MAT-file, Platform: GLNXA64'.ljust(512))
    with pytest.raises(ValueError, match=r'old\.mat.*-v7\.3'):
        read_pair_file(path)
