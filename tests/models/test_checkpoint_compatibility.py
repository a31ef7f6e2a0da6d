"""mmseg's checkpoints load into an FGSN, and ours go back."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import load_checkpoint, load_state_dict
from mmseg.registry import MODELS

from fgsn_mmseg.clustering import Codebook
from fgsn_mmseg.models.converters.publish import publish_checkpoint

BASE = 'mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py'
CONFIG = f"""
_base_ = ['{BASE}']
model = dict(type='FGSN', num_clusters=300)
custom_imports = dict(imports=['fgsn_mmseg'])
"""


def randomized(model, seed):
    """Other weights and statistics than any constructor gives."""
    torch.manual_seed(seed)
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.01, 0.1)
    return model


@pytest.fixture(scope='module')
def configs(tmp_path_factory):
    """(mmseg's model, the FGSN that a user makes of it)."""
    path = tmp_path_factory.mktemp('config') / 'fgsn.py'
    path.write_text(CONFIG)
    fgsn = Config.fromfile(path).model
    (path.parent / 'base.py').write_text(f"_base_ = ['{BASE}']\n")
    base = Config.fromfile(path.parent / 'base.py').model
    for model in (base, fgsn):
        model.pretrained = None
    return base, fgsn


@pytest.fixture(scope='module')
def base_checkpoint(configs, tmp_path_factory):
    path = tmp_path_factory.mktemp('base') / 'pspnet.pth'
    model = randomized(MODELS.build(copy.deepcopy(configs[0])), 0)
    torch.save(dict(meta={}, state_dict=model.state_dict()), path)
    return path


def test_base_checkpoint_loads(configs, base_checkpoint):
    """All but the classifiers, which have 300 instead of 19 clusters."""
    model = randomized(MODELS.build(copy.deepcopy(configs[1])), 1)
    state = torch.load(base_checkpoint)['state_dict']
    with pytest.raises(RuntimeError) as error:
        load_state_dict(model, copy.deepcopy(state), strict=True)
    complaints = [
        line.split('for ')[1].split(':')[0]
        for line in str(error.value).splitlines()[1:]
        if line.strip()
    ]
    classifiers = {
        f'{head}.conv_seg.{name}'
        for head in ('decode_head', 'auxiliary_head')
        for name in ('weight', 'bias')
    }
    assert set(complaints) == classifiers
    load_checkpoint(model, str(base_checkpoint), map_location='cpu')
    for name, value in state.items():
        loaded = model.state_dict()[name]
        assert torch.equal(value, loaded) == (name not in classifiers)
    assert not model.has_labels


def test_same_number_of_classes_loads_strictly(configs, base_checkpoint):
    config = copy.deepcopy(configs[1])
    config.num_clusters = 19
    model = MODELS.build(config)
    load_checkpoint(model, str(base_checkpoint), 'cpu', strict=True)


def test_export_loads_strictly_into_encoder_decoder(configs, tmp_path):
    model = randomized(MODELS.build(copy.deepcopy(configs[1])), 2)
    model.set_codebook(Codebook(300, 128, 16))
    source, target = tmp_path / 'iter_9.pth', tmp_path / 'published.pth'
    torch.save(dict(meta={}, state_dict=model.state_dict()), source)
    publication = publish_checkpoint(source, target)
    assert set(publication.dropped) == {'teacher', 'codebook'}

    config = copy.deepcopy(configs[0])
    for head in ('decode_head', 'auxiliary_head'):
        config[head].num_classes = 300
    plain = MODELS.build(config)
    load_checkpoint(plain, str(target), 'cpu', strict=True)
    image = torch.randn(1, 3, 65, 97)
    with torch.no_grad():
        expected = model.eval()(image)
        logits = plain.eval()(image)
    assert logits.shape[1] == 300
    assert torch.equal(logits, expected)
    assert len(logits.unique()) > 300


def test_export_starts_another_number_of_clusters(configs, tmp_path):
    model = randomized(MODELS.build(copy.deepcopy(configs[1])), 2)
    model.set_codebook(Codebook(300, 128, 16))
    source, target = tmp_path / 'iter_9.pth', tmp_path / 'published.pth'
    torch.save(dict(meta={}, state_dict=model.state_dict()), source)
    publish_checkpoint(source, target)
    config = copy.deepcopy(configs[1])
    config.num_clusters = 20
    other = MODELS.build(config)
    with pytest.raises(ValueError, match='strip its labels'):
        load_checkpoint(other, str(source), 'cpu')
    load_checkpoint(other, str(target), 'cpu')
    assert torch.equal(
        other.backbone.layer4[0].conv1.weight,
        model.backbone.layer4[0].conv1.weight,
    )
