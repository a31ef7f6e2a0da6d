"""No tool runs what a stranger has put into a checkpoint."""

from __future__ import annotations

import os

import pytest
import torch
from miniature_training import tiny_network
from mmengine import Config

from fgsn_mmseg.engine.atomic_checkpoint_hook import problem_of
from fgsn_mmseg.evaluation.survey import survey_checkpoint

PAPER = 'fgsn/fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713'
COMMANDS = {
    'tools/label_images.py': ('CONFIG', 'EVIL', 'photos', 'out'),
    'tools/analysis_tools/find_stationary_clusters.py': (
        'CONFIG',
        'EVIL',
        'out',
    ),
    'tools/model_converters/fgsn2mmseg.py': ('EVIL', 'out.pth'),
    'tools/model_converters/publish_model.py': ('EVIL', 'out.pth'),
}


class Runs:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def network(tmp_path):
    """Config, the checkpoint with a surprise, and what it would make."""
    config, checkpoint = tiny_network(PAPER, tmp_path)
    content = torch.load(checkpoint)
    content['meta'] = dict(note=Runs(tmp_path / 'it ran'))
    content['message_hub'] = {}
    torch.save(content, checkpoint)
    (tmp_path / 'photos').mkdir()
    return config, checkpoint, tmp_path / 'it ran'


@pytest.mark.parametrize('tool', COMMANDS)
def test_tools(network, call_tool, monkeypatch, tmp_path, tool):
    config, checkpoint, target = network
    monkeypatch.chdir(tmp_path)
    words = dict(CONFIG=config, EVIL=checkpoint)
    done = call_tool(tool, *(words.get(w, w) for w in COMMANDS[tool]))
    assert done.returncode == 1
    assert 'mkdir, which could run code' in done.error
    assert str(checkpoint) in done.error and '\n' not in done.error
    assert not target.exists()


def test_resume(network):
    _, checkpoint, target = network
    assert 'mkdir, which could run code' in problem_of(checkpoint)
    assert not target.exists()


def test_survey(network):
    config, checkpoint, target = network
    with pytest.raises(ValueError, match='mkdir, which could run code'):
        survey_checkpoint(Config.fromfile(config), checkpoint, 'student')
    assert not target.exists()
