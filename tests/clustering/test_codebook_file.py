import h5py
import numpy as np
import pytest
import torch
from small_features import BUFFERS, fitted

from fgsn_mmseg.clustering import (
    read_codebook,
    write_codebook,
)


def test_round_trip(tmp_path):
    codebook, rows, _ = fitted()
    path = tmp_path / 'new' / 'clustering_iter_0.h5'
    write_codebook(path, codebook)
    again = read_codebook(path)
    for name in BUFFERS:
        assert torch.equal(getattr(codebook, name), getattr(again, name))
    assert torch.equal(again.assign(rows), codebook.assign(rows))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_layout_of_the_authors(tmp_path):
    codebook, _, _ = fitted()
    write_codebook(tmp_path / 'a.h5', codebook)
    with h5py.File(tmp_path / 'a.h5') as file:
        shapes = {name: file[name].shape for name in file}
        assert file['cluster_centroids'].dtype == np.float32
    assert shapes == dict(
        cluster_centroids=(7, 5),
        pca_transform_Amat=(12, 5),
        pca_transform_bvec=(5,),
    )


@pytest.mark.parametrize('shape', [(5, 1), (1, 5), (5,)])
def test_bias_of_any_shape(tmp_path, shape):
    codebook, rows, _ = fitted()
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['cluster_centroids'] = codebook.centroids.double().numpy()
        file['pca_transform_Amat'] = codebook.pca_matrix.double().numpy()
        file['pca_transform_bvec'] = codebook.pca_bias.numpy().reshape(shape)
        file['something_else'] = 1
    again = read_codebook(tmp_path / 'a.h5')
    assert again.pca_bias.shape == (5,)
    assert torch.equal(again.assign(rows), codebook.assign(rows))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.h5'):
        read_codebook(tmp_path / 'nowhere.h5')


def test_no_hdf5(tmp_path):
    (tmp_path / 'a.h5').write_text('text')
    with pytest.raises(ValueError, match=r'a\.h5'):
        read_codebook(tmp_path / 'a.h5')


def test_missing_data_set(tmp_path):
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['cluster_centroids'] = np.zeros((3, 2))
    with pytest.raises(ValueError, match=r'a\.h5.*pca_transform_Amat'):
        read_codebook(tmp_path / 'a.h5')


def test_sizes_that_do_not_fit(tmp_path):
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['cluster_centroids'] = np.zeros((3, 2))
        file['pca_transform_Amat'] = np.zeros((8, 4))
        file['pca_transform_bvec'] = np.zeros(4)
    with pytest.raises(ValueError, match=r'a\.h5.*\(3, 2\)'):
        read_codebook(tmp_path / 'a.h5')


@pytest.mark.parametrize(
    ('name', 'wrong'),
    [
        ('cluster_centroids', None),  # a group
        ('pca_transform_Amat', 'text'),
        ('pca_transform_bvec', np.zeros(2, [('a', 'f4'), ('b', 'f4')])),
        ('cluster_centroids', np.full((3, 2), np.nan)),
        ('cluster_centroids', np.full((3, 2), 1e300)),
        ('pca_transform_Amat', np.full((8, 2), -np.inf)),
        ('cluster_centroids', np.zeros((0, 2))),
        ('pca_transform_Amat', np.zeros((0, 2))),
        ('pca_transform_bvec', np.zeros(())),
        ('pca_transform_bvec', h5py.ExternalLink('b.h5', 'x')),
        ('pca_transform_bvec', h5py.SoftLink('/cluster_centroids')),
    ],
)
def test_strangers_arrays_are_named(tmp_path, name, wrong):
    path = write_arrays(tmp_path / 'a.h5', **{name: wrong})
    with pytest.raises(ValueError, match=rf'{name}.*') as caught:
        read_codebook(path)
    text = str(caught.value)
    assert str(path) in text and '\n' not in text


def write_arrays(path, **changes):
    arrays = dict(
        cluster_centroids=np.arange(6.0).reshape(3, 2),
        pca_transform_Amat=np.arange(16.0).reshape(8, 2),
        pca_transform_bvec=np.arange(2.0),
    )
    with h5py.File(path, 'w') as file:
        for name, array in {**arrays, **changes}.items():
            if array is None:
                file.create_group(name)
            else:
                file[name] = array
    return path


def test_big_endian_and_integers_are_read(tmp_path):
    path = write_arrays(
        tmp_path / 'a.h5',
        cluster_centroids=np.arange(6).reshape(3, 2).astype('>f4'),
        pca_transform_Amat=np.arange(16).reshape(8, 2).astype('>i2'),
    )
    codebook = read_codebook(path)
    assert codebook.centroids.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert codebook.pca_matrix.flatten().tolist() == list(range(16))


def test_declared_sizes_are_not_believed(tmp_path):
    path = write_arrays(tmp_path / 'a.h5', cluster_centroids=None)
    with h5py.File(path, 'a') as file:
        del file['cluster_centroids']
        file.create_dataset('cluster_centroids', (10**11, 2), chunks=(9, 2))
    with pytest.raises(ValueError, match=r'at most 100000000 .*a\.h5'):
        read_codebook(path)
    with pytest.raises(ValueError, match=r'pca_transform_Amat.*at most 15'):
        read_codebook(write_arrays(tmp_path / 'b.h5'), max_numbers=15)
