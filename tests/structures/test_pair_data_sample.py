from __future__ import annotations

import pickle

import pytest
import torch
from mmengine.structures import PixelData

from fgsn_mmseg.structures import PairDataSample


def make_sample():
    sample = PairDataSample(metainfo=dict(img_path='a.jpg', img_shape=(4, 6)))
    sample.points = torch.tensor([[1.5, 2.0], [0.0, 3.0]])
    sample.points2 = torch.tensor([[0.5, 2.0], [5.0, 3.0]])
    sample.point_weights = torch.tensor([1.0, 0.5])
    return sample


def test_fields_are_data_and_survive_to_copy_and_pickle():
    sample = make_sample()
    sample.gt_sem_seg = PixelData(data=torch.zeros(1, 4, 6))
    copies = [
        sample.to('cpu'),
        sample.clone(),
        sample.cpu(),
        pickle.loads(pickle.dumps(sample)),
        PairDataSample(metainfo=sample.metainfo, **dict(sample.items())),
    ]
    for copy in copies:
        assert isinstance(copy, PairDataSample)
        for key in ('points', 'points2', 'point_weights'):
            assert key in copy
            assert torch.equal(getattr(copy, key), getattr(sample, key))
            assert torch.equal(copy.get(key), getattr(sample, key))
        assert copy.gt_sem_seg.shape == (4, 6)
        assert copy.img_shape == (4, 6)


def test_to_dict_holds_public_names():
    fields = make_sample().to_dict()
    assert fields['points2'].tolist() == [[0.5, 2.0], [5.0, 3.0]]
    assert fields['img_path'] == 'a.jpg'
    assert not [key for key in fields if key.startswith('_')]


def test_wrong_type_and_deletion():
    sample = make_sample()
    with pytest.raises(AssertionError, match='Tensor'):
        sample.points = [[1.0, 2.0]]
    del sample.points
    assert 'points' not in sample
    assert not hasattr(sample, 'points')
