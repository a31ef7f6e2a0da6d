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
