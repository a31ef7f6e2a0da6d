"""Every family of mmseg's networks becomes an FGSN, or says why not.

Some small ones by default, all of them with ``-m slow``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import io
import re

import pytest
import torch
from families import (
    FAMILIES,
    REFUSED,
    TREE,
    WORKS,
    as_fgsn,
    as_plain,
    load_config,
)
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS

from fgsn_mmseg.clustering import Codebook
from fgsn_mmseg.structures import PairDataSample

K = 7
# One head, several heads, heads with several classifiers, boundary heads, a
# cascade, transformers, a head without classifier convolution.
BY_DEFAULT = (
    'bisenetv1',
    'ddrnet',
    'fastscnn',
    'ocrnet',
    'pidnet',
    'segformer',
    'segmenter',
    'segnext',
    'stdc',
)
SWEEP = [
    pytest.param(
        name, marks=() if name in BY_DEFAULT else pytest.mark.slow, id=name
    )
    for name in WORKS
]


def test_the_table_is_complete(repo_root):
    assert {path.name for path in TREE.iterdir()} - {'_base_'} == set(FAMILIES)
    assert len(WORKS) >= 30
    text = (repo_root / 'docs' / 'families.md').read_text(encoding='utf-8')
    rows = re.findall(r'^\| `(\w+)` \| `([^`]+)` \| (.+) \|$', text, re.M)
    assert [row[:2] for row in rows] == [
        (name, family.config) for name, family in sorted(FAMILIES.items())
    ]
    for name, _, verdict in rows:
        assert verdict.startswith('works') == (name in WORKS), name


@pytest.mark.parametrize('name', REFUSED)
def test_says_in_one_line_why_not(name):
    family = REFUSED[name]
    if family.needs == 'mmcv.ops':
        if importlib.util.find_spec('mmcv._ext'):
            pytest.skip('mmcv has its operators: this family works')
    elif family.needs:
        pytest.importorskip(family.needs)
    model = as_fgsn(load_config(name).model, K)
    with pytest.raises((ValueError, RuntimeError)) as error:
        MODELS.build(model)
    assert re.search(family.refused, str(error.value))
    assert len(str(error.value).strip().splitlines()) == 1


@pytest.mark.parametrize('name', SWEEP)
def test_family(name):
    """Build, cluster, train, predict, export, load into the plain one."""
    family = WORKS[name]
    if family.needs:
        pytest.importorskip(family.needs)
    config = load_config(name)
    torch.manual_seed(0)
    model = MODELS.build(as_fgsn(config.model, K))
    with contextlib.redirect_stdout(io.StringIO()):  # mmseg prints all names
        optimizer = build_optim_wrapper(model, config.optim_wrapper)
    cluster(model, family.size)
    train(model, optimizer, family.size)
    compare(model, MODELS.build(as_plain(config.model, K)), family.size)
    del model, optimizer
    gc.collect()


def cluster(model, size):
    model.eval()
    with torch.no_grad():
        features = model.student_maps(torch.randn(2, 3, *size)).features
    rows = features.movedim(1, -1).flatten(0, -2)
    rows = rows[:2000].repeat(-(-4 * K // len(rows)), 1)
    # Networks of random weights give all cells nearly one feature.
    rows = rows + 1e-3 * torch.randn_like(rows)
    codebook = Codebook(K, rows.shape[1], min(16, rows.shape[1]))
    codebook.fit(rows)
    model.set_codebook(codebook)
    model.redraw_classifiers(torch.Generator().manual_seed(0))


def train(model, optimizer, size):
    model.train()
    for module in model.modules():
        if hasattr(module, 'drop_prob'):  # a dropped block has no gradient
            module.drop_prob = 0.0
    trained = {
        name: parameter.detach().clone()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    assert not any(name.startswith('teacher.') for name in trained)
    sample = PairDataSample()
    sample.points = torch.rand(20, 2) * (min(size) - 1)
    sample.points2 = sample.points.clone()
    images = torch.randn(2, 1, 3, *size)
    for fraction in (None, 1.0):
        model.fraction_reference = fraction
        losses = model.loss(dict(img=images[0], img2=images[1]), [sample])
        total = sum(losses.values())
        assert torch.isfinite(total)
        optimizer.update_params(total)
    classifiers = sum(
        len(head.classifiers()) for head in model.cluster_heads().values()
    )
    assert len(losses) == 2 * classifiers
    after = dict(model.named_parameters())
    still = [
        name for name, old in trained.items() if torch.equal(after[name], old)
    ]
    # Nothing that has a gradient was left out, or DDP would complain.
    assert not still


def compare(model, plain, size):
    """The network alone, in mmseg's own segmentor."""
    model.eval()
    plain.eval()
    plain.load_state_dict(
        {
            name: tensor
            for name, tensor in model.state_dict().items()
            if not name.startswith(('teacher.', 'codebook.'))
        },
        strict=True,
    )
    image = torch.randn(1, 3, *size)
    meta = dict(img_shape=size, ori_shape=size, pad_shape=size)
    model.test_cfg.mode = 'whole'
    results = []
    with torch.no_grad():
        for run in (
            lambda: plain.encode_decode(image, [meta]),
            lambda: model.encode_decode(image, [meta]),
            lambda: model.predict(image)[0],
        ):
            torch.manual_seed(1)  # LightHamHead draws its bases anew
            results.append(run())
    logits, ours, sample = results
    assert torch.equal(logits, ours)
    assert 'seg_logits' not in sample
    labels = sample.pred_sem_seg.data
    assert labels.shape == (1, *size)
    behind = logits.amax(1) - logits[0].gather(0, labels)
    assert behind.max() < 1e-4 * max(1, logits.abs().max())
