from __future__ import annotations

import h5py
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from authors_network import AuthorsNetwork, make_network
from mmengine import Config
from mmengine.runner import load_checkpoint
from mmseg.registry import MODELS

from fgsn_mmseg.models.converters import convert_checkpoint, convert_keys
from fgsn_mmseg.models.converters.authors import mmseg_name

CONFIGS = {False: 'fgsn-paper', True: 'fgsn-torchvision'}
# 8 * 13 + 1 high, 8 * 8 + 1 wide, and one that is no 8n + 1.
SIZES = [(105, 65), (70, 113)]


def build(repo_root, num_classes, torchvision, narrow=True, **extra):
    """The shipped config, a sixteenth as wide and of ResNet-50's depth."""
    path = f'configs/_base_/models/pspnet_r101-d8_{CONFIGS[torchvision]}.py'
    config = Config.fromfile(repo_root / path)
    for head in (config.model.decode_head, config.model.auxiliary_head):
        head.num_classes = num_classes
    if narrow:
        stem = 4 if torchvision else 8
        config.merge_from_dict(
            {
                'model.backbone.depth': 50,
                'model.backbone.base_channels': 4,
                'model.backbone.stem_channels': stem,
                'model.decode_head.in_channels': 128,
                'model.decode_head.channels': 32,
                'model.auxiliary_head.in_channels': 64,
                'model.auxiliary_head.channels': 16,
            }
        )
    config.model.update(extra)
    return MODELS.build(config.model).eval()


def close(actual, expected):
    # Values in the order of 1, so that the limit means something.
    assert 0.1 < expected.std() < 10
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize('torchvision', [False, True])
@pytest.mark.parametrize('num_classes', [7, 300])
@pytest.mark.parametrize('old_names', [False, True])
@torch.no_grad()
def test_same_numbers(
    tmp_path, repo_root, torchvision, num_classes, old_names
):
    network = make_network(num_classes, torchvision, old_names)
    torch.save(network.state_dict(), tmp_path / 'authors.pth')
    done = convert_checkpoint(tmp_path / 'authors.pth', tmp_path / 'ours.pth')
    assert done.num_classes == num_classes
    assert done.unplaced == []
    assert done.deep_stem is not torchvision
    model = build(repo_root, num_classes, torchvision)
    load_checkpoint(model, str(tmp_path / 'ours.pth'), strict=True)
    features = []
    model.decode_head.bottleneck.bn.register_forward_hook(
        lambda *args: features.append(args[-1].clone())
    )
    for size in SIZES:
        image = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8)
        mean = torch.tensor([103.939, 116.779, 123.68])[:, None, None]
        # Three hundredths keep the untrained networks' outputs near 1.
        inputs = (image - mean) * 0.03
        expected = network(inputs)
        logits = model(inputs, mode='tensor')
        close(features.pop(), expected[0])
        close(logits, expected[1])
        maps = model.extract_feat(inputs)
        close(model.auxiliary_head(maps), expected[2])
        whole = F.interpolate(
            expected[1], size, mode='bilinear', align_corners=True
        )
        close(model.encode_decode(inputs, [dict(img_shape=size)]), whole)
        features.clear()


def test_input_is_bgr_minus_mean(repo_root):
    model = build(repo_root, 7, False)
    image = torch.randint(0, 256, (3, 24, 32), dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=[image]))
    mean = torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    torch.testing.assert_close(data['inputs'][0], image - mean)


@pytest.mark.parametrize('torchvision', [False, True])
def test_full_size_network_fills_every_parameter(repo_root, torchvision):
    with torch.device('meta'):
        network = AuthorsNetwork(64, (3, 4, 23, 3), 100, torchvision, False)
        model = build(repo_root, 100, torchvision, narrow=False)
    done = convert_keys(network.state_dict())
    shapes = {name: part.shape for name, part in done.state_dict.items()}
    expected = {name: part.shape for name, part in model.state_dict().items()}
    assert shapes == expected
    assert done.unplaced == []


def test_names():
    assert mmseg_name('fcn.layer1.conv3.bn.bias') == 'backbone.stem.7.bias'
    assert (
        mmseg_name('fcn.layer3.block1.proj.conv.weight')
        == 'backbone.layer2.0.downsample.0.weight'
    )
    assert (
        mmseg_name('fcn.layer4.block23.increase.bn.running_var')
        == 'backbone.layer3.22.bn3.running_var'
    )
    assert (
        mmseg_name('ppm.stages.3.conv.bn.weight')
        == 'decode_head.psp_modules.3.1.bn.weight'
    )
    for name in (
        'fcn.layer1.conv3.conv.bias',
        'fcn.layer6.block1.reduce.conv.weight',
        'fcn.fc.weight',
        'fcn.layer1.0.conv4.weight',
        'conv6.weight.extra',
        'xconv6.weight',
    ):
        assert mmseg_name(name) is None


def test_tells_what_it_cannot_place():
    state = make_network(7, False).state_dict()
    state['fcn.fc.weight'] = torch.zeros(2, 2)
    # A file with both: the new classifier counts.
    state['final.conv6.weight'] = torch.full_like(state['conv6.weight'], 9)
    state = {f'module.{name}': part for name, part in state.items()}
    done = convert_keys(state)
    assert done.unplaced == [
        'module.fcn.fc.weight',
        'module.final.conv6.weight',
    ]
    weight = done.state_dict['decode_head.conv_seg.weight']
    assert weight is state['module.conv6.weight']


def test_refuses_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='not there'):
        convert_checkpoint(tmp_path / 'no.pth', tmp_path / 'out.pth')
    (tmp_path / 'text.pth').write_text('hello')
    with pytest.raises(ValueError, match=r'text\.pth'):
        convert_checkpoint(tmp_path / 'text.pth', tmp_path / 'out.pth')
    torch.save(torch.nn.Linear(1, 1).state_dict(), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'other\.pth.*should have fcn'):
        convert_checkpoint(tmp_path / 'other.pth', tmp_path / 'out.pth')
    assert not (tmp_path / 'out.pth').exists()


def write_centroids(path, num_clusters, channels=32, dim=8):
    rng = np.random.default_rng(0)
    with h5py.File(path, 'w') as file:
        file['cluster_centroids'] = rng.normal(size=(num_clusters, dim))
        file['pca_transform_Amat'] = rng.normal(size=(channels, dim))
        file['pca_transform_bvec'] = rng.normal(size=dim)


@torch.no_grad()
def test_codebook_and_teacher(tmp_path, repo_root):
    network = make_network(20, False)
    torch.save(network.state_dict(), tmp_path / 'authors.pth')
    write_centroids(tmp_path / 'centroids_10000.h5', 20)
    convert_checkpoint(
        tmp_path / 'authors.pth',
        tmp_path / 'ours.pth',
        tmp_path / 'centroids_10000.h5',
    )
    model = build(
        repo_root,
        20,
        False,
        type='FGSN',
        num_clusters=20,
        feature_layer='bottleneck.bn',
    )
    load_checkpoint(model, str(tmp_path / 'ours.pth'), strict=True)
    inputs = torch.randn(1, 3, 65, 97)
    features = network(inputs)[0]
    close(model.teacher(inputs), features)
    with h5py.File(tmp_path / 'centroids_10000.h5') as file:
        matrix, bias, centroids = (
            torch.from_numpy(file[name][()]).float()
            for name in (
                'pca_transform_Amat',
                'pca_transform_bvec',
                'cluster_centroids',
            )
        )
    expected = torch.empty(features.shape[2:], dtype=torch.int64)
    for y, x in np.ndindex(*expected.shape):
        reduced = F.normalize(features[0, :, y, x] @ matrix + bias, dim=0)
        distance = (centroids - reduced).square().sum(1)
        expected[y, x] = distance.argmin()
    assert expected.unique().numel() > 1
    torch.testing.assert_close(model.label_maps(inputs)[0], expected)


def test_codebook_of_another_run(tmp_path):
    torch.save(make_network(7, True).state_dict(), tmp_path / 'a.pth')
    for clusters, channels in ((20, 32), (7, 16)):
        write_centroids(tmp_path / 'c.h5', clusters, channels)
        with pytest.raises(ValueError, match=r'c\.h5 should have 7 clusters'):
            convert_checkpoint(
                tmp_path / 'a.pth', tmp_path / 'b.pth', tmp_path / 'c.h5'
            )
