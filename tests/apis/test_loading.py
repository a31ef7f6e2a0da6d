from __future__ import annotations

import copy

import torch
from mmengine import Config
from tiny_fgsn import build_model, model_config

from fgsn_mmseg.apis import load_segmentor


def test_the_config_of_the_caller_stays_as_it_is(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(dict(state_dict=build_model().state_dict(), meta={}), path)
    config = Config(dict(model=model_config(num_clusters=5)))
    config.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='no')
    before = copy.deepcopy(config._cfg_dict)
    model = load_segmentor(config, path, cfg_options={'model.num_clusters': 6})
    assert model.num_clusters == 6
    assert config._cfg_dict == before
