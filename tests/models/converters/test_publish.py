from __future__ import annotations

import hashlib

import pytest
import torch
from mmseg.registry import MODELS

from fgsn_mmseg.clustering import Codebook
from fgsn_mmseg.models.converters import publish_checkpoint

NORM = dict(type='BN')


def make_model(kind, num_classes, **extra):
    head = dict(
        in_channels=16,
        channels=8,
        num_classes=num_classes,
        norm_cfg=NORM,
        align_corners=True,
    )
    return MODELS.build(
        dict(
            type=kind,
            backbone=dict(
                type='ResNetV1c',
                depth=18,
                stem_channels=8,
                base_channels=4,
                norm_cfg=NORM,
                strides=(1, 2, 1, 1),
                dilations=(1, 1, 2, 4),
            ),
            decode_head=dict(head, type='PSPHead', in_channels=32, in_index=3),
            auxiliary_head=dict(head, type='FCNHead', in_index=2, num_convs=1),
            **extra,
        )
    )


@pytest.fixture
def trained(tmp_path):
    """Checkpoint of an FGSN with labels, and its model."""
    torch.manual_seed(0)
    model = make_model('FGSN', 30, num_clusters=30)
    model.set_codebook(Codebook(30, 8, 8).eval())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.save(
        dict(
            meta=dict(
                iter=7, cfg='work_dir = "/home/me"', dataset_meta=dict(a=1)
            ),
            state_dict=model.state_dict(),
            optimizer=optimizer.state_dict(),
            message_hub=dict(log_scalars={}),
        ),
        tmp_path / 'iter_7.pth',
    )
    return tmp_path / 'iter_7.pth', model.eval()


def test_published_loads_strictly_into_a_plain_segmentor(tmp_path, trained):
    path, model = trained
    done = publish_checkpoint(path, tmp_path / 'release.pth')
    assert done.dropped['codebook'] == 3
    assert done.dropped['optimizer'] == done.dropped['message_hub'] == 1
    teacher = sum(n.startswith('teacher.') for n in model.state_dict())
    assert done.dropped['teacher'] == teacher > 0
    content = torch.load(tmp_path / 'release.pth', weights_only=True)
    assert set(content) == {'meta', 'state_dict'}
    assert content['meta'] == dict(iter=7, dataset_meta=dict(a=1))
    data = (tmp_path / 'release.pth').read_bytes()
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    plain = make_model('EncoderDecoder', 30).eval()
    plain.load_state_dict(content['state_dict'], strict=True)
    assert len(plain.state_dict()) == done.kept
    images = torch.randn(1, 3, 48, 80)
    with torch.no_grad():
        expected = model(images, mode='tensor')
        assert torch.equal(plain(images, mode='tensor'), expected)


def test_memory_of_a_loss_is_dropped(tmp_path):
    state = make_model('FGSN', 30, num_clusters=30).state_dict()
    state['decode_head.loss_decode.prior'] = torch.zeros(30)
    state['decode_head.loss_decode.0.prior'] = torch.zeros(30)
    torch.save(dict(state_dict=state), tmp_path / 'x.pth')
    done = publish_checkpoint(tmp_path / 'x.pth', tmp_path / 'y.pth')
    assert done.dropped['loss_decode'] == 2
    kept = torch.load(tmp_path / 'y.pth', weights_only=True)['state_dict']
    plain = make_model('EncoderDecoder', 30)
    plain.load_state_dict(kept, strict=True)


def test_published_starts_another_number_of_clusters(tmp_path, trained):
    path, _ = trained
    publish_checkpoint(path, tmp_path / 'release.pth')
    state = torch.load(tmp_path / 'release.pth', weights_only=True)
    other = make_model('FGSN', 50, num_clusters=50)
    loaded = {
        name: part
        for name, part in state['state_dict'].items()
        if '.conv_seg.' not in name
    }
    missing = other.load_state_dict(loaded, strict=False)
    assert not missing.unexpected_keys
    assert all('.conv_seg.' in name for name in missing.missing_keys)


def test_cascades_have_several_decode_heads(tmp_path):
    state = {
        'decode_head.1.conv_seg.weight': torch.zeros(30, 8, 1, 1),
        'teacher.decode_head.0.conv_seg.weight': torch.zeros(30, 8, 1, 1),
    }
    torch.save(state, tmp_path / 'x.pth')
    done = publish_checkpoint(tmp_path / 'x.pth', tmp_path / 'y.pth')
    assert (done.kept, done.dropped) == (1, dict(teacher=1))


def test_refuses_what_is_no_segmentor(tmp_path):
    torch.save(dict(x=torch.zeros(1)), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='should hold a segmentor'):
        publish_checkpoint(tmp_path / 'x.pth', tmp_path / 'y.pth')
    torch.save([1, 2], tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='names and tensors'):
        publish_checkpoint(tmp_path / 'x.pth', tmp_path / 'y.pth')
    assert not (tmp_path / 'y.pth').exists()
