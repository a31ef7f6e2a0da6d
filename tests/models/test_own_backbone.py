"""The backbone of docs/training.md, as it stands there, in an FGSN."""

from __future__ import annotations

import re

import numpy as np
import torch
from mmengine import Config
from tiny_runs import QuietRunner, make_pairs, run_config, scalars


def test_backbone_of_the_page(repo_root, tmp_path, monkeypatch):
    page = (repo_root / 'docs' / 'training.md').read_text(encoding='utf-8')
    files = re.findall(
        r'<!-- file: (\S+) -->\n```python\n(.*?)```', page, re.DOTALL
    )
    files = [one for one in files if one[0].startswith('my_')]
    assert [name for name, _ in files] == ['my_backbone.py', 'my_network.py']
    for name, text in files:
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    written = Config.fromfile(tmp_path / 'my_network.py')
    config = run_config(
        make_pairs(tmp_path / 'pairs'), tmp_path / 'run', max_iters=3
    )
    written.model.data_preprocessor = config.model.data_preprocessor
    config.model = written.model
    runner = QuietRunner.from_cfg(config)
    model = runner.model
    assert type(model.backbone).__name__ == 'TinyBackbone'
    maps = model.extract_feat(torch.randn(1, 3, 64, 96))
    assert [m.shape[-2:] for m in maps] == [
        (32, 48), (16, 24), (8, 12), (8, 12),
    ]  # fmt: skip
    before = model.backbone.stages[0][0].weight.detach().clone()
    runner.train()
    assert not torch.equal(model.backbone.stages[0][0].weight, before)
    assert model.has_labels and model.codebook.centroids.shape == (20, 8)
    losses = [
        row['loss'] for row in scalars(tmp_path / 'run') if 'loss' in row
    ]
    assert len(losses) == 3 and np.isfinite(losses).all()
