"""Files of strangers: the right result or our message, nothing else.

Default: 200 mutants. The figures of docs/reliability.md are those of
`pytest -m slow tests/test_fuzz.py`, which makes 2,000.
"""

from __future__ import annotations

import codecs

import fuzzing
import h5py
import numpy as np
import pytest

from fgsn_mmseg.clustering import Codebook
from fgsn_mmseg.clustering.codebook_file import read_codebook, write_codebook
from fgsn_mmseg.datasets import read_names, read_pair_file, write_pair_file

SHARES = dict(pairs=0.5, codebooks=0.25, lists=0.25)


def make_pair(count):
    rng = np.random.default_rng(count)
    return dict(
        img_path='slice2/ref/img_1.jpg',
        img_path2='slice2/winter/bild_ä.jpg',
        points=rng.uniform(0, 900, (count, 2)),
        points2=rng.uniform(0, 900, (count, 2)),
        dist_from_center=rng.uniform(0, 2, count),
    )


def pairs(folder):
    """Bytes of files as ours, as MATLAB writes them, and compressed."""
    ours = folder / 'ours.mat'
    write_pair_file(ours, make_pair(5))
    files = [ours]
    with h5py.File(ours) as source:
        arrays = {name: source[name][()] for name in source}
    for name, options in (
        ('matlab', {}),
        ('packed', dict(compression='gzip', chunks=True)),
    ):
        path = folder / f'{name}.mat'
        block = 512 if name == 'matlab' else 0
        with h5py.File(path, 'w', userblock_size=block) as file:
            for key, array in arrays.items():
                file.create_dataset(key, data=array, **options)
                file[key].attrs['MATLAB_class'] = np.bytes_('double')
        files.append(path)
    return [path.read_bytes() for path in files]


def codebooks(folder):
    codebook = Codebook(4, 6, 3)
    for buffer in codebook.buffers():
        buffer.data = buffer.data.float().normal_()
    write_codebook(folder / 'a.h5', codebook)
    return [(folder / 'a.h5').read_bytes()]


def lists(folder):
    text = 'a--b.mat\r\nc/d.png\n\nü.jpg\n'
    return [
        text.encode(),
        codecs.BOM_UTF8 + text.encode(),
        text.encode('utf-16'),
    ]


def check_pair(pair):
    count = len(pair['points'])
    for key in ('points', 'points2'):
        assert pair[key].shape == (count, 2)
        assert np.isfinite(pair[key].astype(np.float32)).all()
    assert pair['dist_from_center'].shape == (count,)
    assert (np.exp(-pair['dist_from_center']) <= 1).all()
    for key in ('img_path', 'img_path2'):
        assert 0 < len(pair[key]) <= 4096 and min(pair[key]) >= ' '


def check_codebook(codebook):
    clusters, reduced = codebook.centroids.shape
    assert codebook.pca_matrix.shape == (codebook.in_channels, reduced)
    assert codebook.pca_bias.shape == (reduced,) and clusters > 0
    for buffer in codebook.buffers():
        assert buffer.isfinite().all()


def check_names(names):
    for name in names:
        assert name and not set('\0\n\r') & set(name)


KINDS = dict(
    pairs=(pairs, read_pair_file, check_pair, '.mat'),
    codebooks=(codebooks, read_codebook, check_codebook, '.h5'),
    lists=(lists, read_names, check_names, '.txt'),
)


def fuzz(kind, number, seed, folder):
    make, read, check, suffix = KINDS[kind]
    originals = make(folder)
    for index, data in enumerate(originals):
        path = folder / f'whole_{index}{suffix}'
        path.write_bytes(data)
        assert fuzzing.trial(read, path, check) == 'read'
    return fuzzing.run(
        read,
        check,
        originals,
        round(number * SHARES[kind]),
        seed,
        folder,
        suffix,
    )


@pytest.mark.parametrize('kind', KINDS)
def test_200_mutants(kind, tmp_path):
    counts = fuzz(kind, 200, 0, tmp_path)
    assert set(counts) == {'read', 'refused'}, counts


@pytest.mark.slow
@pytest.mark.parametrize('kind', KINDS)
def test_2000_mutants(kind, tmp_path):
    counts = fuzz(kind, 2000, 1, tmp_path)
    print(kind, dict(counts))
    assert set(counts) == {'read', 'refused'}, counts


def test_the_trial_sees_what_must_not_happen(tmp_path):
    path = tmp_path / 'a'

    def crash(path):
        import os

        os.kill(os.getpid(), 11)

    def hang(path):
        while True:
            pass

    def fail(path):
        assert path != path

    cases = {
        'crash': crash,
        'hang': hang,
        'memory': lambda path: np.ones(1 << 29),
        'message: no path': lambda path: int_of('no path'),
        'AssertionError: ': fail,
        'accepted: KeyError(1)': lambda path: {},
    }

    def int_of(text):
        raise ValueError(text)

    seconds, fuzzing.SECONDS = fuzzing.SECONDS, 1
    try:
        for word, read in cases.items():
            found = fuzzing.trial(read, path, lambda found: found[1])
            assert found.startswith(word), (word, found)
    finally:
        fuzzing.SECONDS = seconds
