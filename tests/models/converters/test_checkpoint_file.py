"""Files from strangers: read, or refused in one line, never run."""

from __future__ import annotations

import os
import pickle
import re

import pytest
import torch

from fgsn_mmseg.models.converters import publish_checkpoint
from fgsn_mmseg.models.converters.checkpoint_file import read_checkpoint

STATE = {'backbone.a': torch.arange(3.0), 'decode_head.b': torch.ones(2)}


class Runs:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


class TestRefused:
    def message(self, path):
        with pytest.raises(ValueError) as caught:
            read_checkpoint(path)
        text = str(caught.value)
        assert str(path) in text and '\n' not in text
        assert 'weights_only' not in text  # torch advises to switch it off
        return text

    @pytest.mark.parametrize('where', ['state_dict', 'meta', 'optimizer'])
    def test_what_would_run_code(self, tmp_path, where):
        target = tmp_path / 'it ran'
        content = dict(state_dict=STATE, meta={}, optimizer={})
        content[where] = Runs(target)
        torch.save(content, tmp_path / 'a.pth')
        # The reason names what it would have run.
        assert 'mkdir, which could run code' in self.message(
            tmp_path / 'a.pth'
        )
        assert not target.exists()
        torch.load(tmp_path / 'a.pth', weights_only=False)
        assert target.exists()  # it really would have

    def test_a_plain_pickle(self, tmp_path):
        target = tmp_path / 'it ran'
        (tmp_path / 'a.pth').write_bytes(pickle.dumps(Runs(target)))
        self.message(tmp_path / 'a.pth')
        assert not target.exists()

    def test_a_whole_network(self, tmp_path):
        torch.save(torch.nn.Linear(2, 2), tmp_path / 'a.pth')
        assert 'torch.nn.modules.linear.Linear' in self.message(
            tmp_path / 'a.pth'
        )

    def test_half_a_file(self, tmp_path):
        torch.save(dict(state_dict=STATE), tmp_path / 'a.pth')
        cut(tmp_path / 'a.pth')
        assert 'cut off' in self.message(tmp_path / 'a.pth')
        (tmp_path / 'a.pth').write_bytes(b'')
        assert 'cut off' in self.message(tmp_path / 'a.pth')

    @pytest.mark.parametrize('content', [b'\0' * 999, b'<html>', b'PK\3\4'])
    def test_no_checkpoint(self, tmp_path, content):
        (tmp_path / 'a.pth').write_bytes(content)
        self.message(tmp_path / 'a.pth')

    @pytest.mark.parametrize(
        'content', [{}, [torch.ones(1)], {'a': 1}, {3: torch.ones(1)}]
    )
    def test_no_state_dict(self, tmp_path, content):
        torch.save(content, tmp_path / 'a.pth')
        assert 'Save `state_dict()`' in self.message(tmp_path / 'a.pth')


class TestAccepted:
    @pytest.mark.parametrize('prefix', ['', 'module.', 'ema.', 'ema.module.'])
    @pytest.mark.parametrize('key', [None, 'state_dict', 'model'])
    def test_where_other_trainers_put_it(self, tmp_path, prefix, key):
        content = {prefix + name: value for name, value in STATE.items()}
        if key is not None:
            content = {key: content, 'epoch': 3}
        torch.save(content, tmp_path / 'a.pth')
        rest, state_dict = read_checkpoint(tmp_path / 'a.pth')
        assert rest == ({} if key is None else {'epoch': 3})
        assert state_dict.keys() == STATE.keys()
        for name, value in STATE.items():
            assert torch.equal(state_dict[name], value)

    def test_names_that_only_some_share_stay(self, tmp_path):
        content = {'module.a': torch.ones(1), 'b': torch.ones(1)}
        torch.save(content, tmp_path / 'a.pth')
        assert read_checkpoint(tmp_path / 'a.pth')[1].keys() == content.keys()


def test_the_source_is_not_overwritten(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict=STATE, optimizer=dict(x=1)), path)
    before = path.read_bytes()
    (tmp_path / 'link.pth').symlink_to(path)
    for target in (path, tmp_path / 'link.pth', tmp_path / 'x/../a.pth'):
        with pytest.raises(ValueError, match='another file than `source`'):
            publish_checkpoint(path, target)
    assert path.read_bytes() == before
    publish_checkpoint(path, tmp_path / 'b.pth')
    assert re.search(b'decode_head.b', (tmp_path / 'b.pth').read_bytes())
