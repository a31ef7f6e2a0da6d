"""FGSN: every config loads, builds and is what its name says."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import torch
from mmengine import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import HOOKS, METRICS, MODELS, PARAM_SCHEDULERS

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'fgsn'
NAMES = sorted(path.stem for path in FOLDER.glob('*.py'))
PAPER = [name for name in NAMES if re.search('_r101-d8.*_pspnet_', name)]
TESTS = sorted(path.stem for path in (FOLDER / 'test').glob('*.py'))
NUMBERS = (20, 100, 200, 1000)
SETS = ('cmu', 'robotcar', 'cmu-robotcar')
STARTS = ('-cityscapes-pre', '-in1k-pre')
EXTRAS = ('nocorr', 'noseg', 'hinge', 'both', 'amp', 'staircase')
TEST_SETS = {
    'cmu-seasons': ('CMUSeasonsDataset', 'ClusterInformationMetric'),
    'robotcar-seasons': ('RobotCarSeasonsDataset', 'ClusterInformationMetric'),
    'cityscapes-val': ('CityscapesDataset', 'ClusterInformationMetric'),
    'vistas-val': ('VistasCityscapesDataset', 'ClusterInformationMetric'),
    'image-folder': ('BaseSegDataset', 'LabelMapWriter'),
}
# fgsn-c{K}_{backbone}_{decoder}_{G}xb{N}[-{extras}]-{schedule}_{data}-{crop}
PATTERN = re.compile(
    r'fgsn-c(?P<k>\d+)_(?P<backbone>[^_]+)_(?P<decoder>[^_]+)'
    r'_(?P<gpus>\d+)xb(?P<batch>\d+)(-(?P<extras>[a-z0-9-]+))?'
    r'-(?P<iters>\d+)(?P<thousand>k?)'
    r'_(?P<data>[a-z0-9-]+)-(?P<height>\d+)x(?P<width>\d+)'
)
ROOTS = {
    'cmu': {'data/CMU/'},
    'robotcar': {'data/ROBOTCAR/'},
    'cmu-robotcar': {'data/CMU/', 'data/ROBOTCAR/'},
}


@cache
def load(name, folder=FOLDER):
    try:
        return Config.fromfile(folder / f'{name}.py')
    except ImportError as error:  # ConvNeXt is mmpretrain's
        if 'mmpretrain' not in str(error):
            raise
        pytest.skip('mmpretrain is not installed')


@cache
def build(model_text):
    """Models that are equal are built once."""
    model = Config.fromstring(f'model = {model_text}', '.py').model
    try:
        with torch.device('meta'):
            return MODELS.build(model)
    except (RuntimeError, NotImplementedError):  # some backbones want numbers
        return MODELS.build(model)


def build_model(config):
    model = config.model.to_dict()
    if model['backbone']['type'] == 'FrozenBackbone':
        pytest.importorskip('timm')
        model['backbone']['backbone']['pretrained'] = False
    return build(repr(model))


def datasets(loader):
    dataset = loader.dataset
    return dataset.get('datasets', [dataset])


def wanted_names():
    end = '{}-713x713'.format
    for k, data in product(NUMBERS, SETS):
        yield f'fgsn-c{k}_r101-d8_pspnet_1xb1-60k_{end(data)}'
    for data in SETS[:2]:
        for k, start in product(NUMBERS, STARTS):
            yield f'fgsn-c{k}_r101-d8{start}_pspnet_1xb1-60k_{end(data)}'
        for extra in EXTRAS:
            yield f'fgsn-c100_r101-d8_pspnet_1xb1-{extra}-60k_{end(data)}'
        yield f'fgsn-c100_r101-d8_pspnet_4xb1-30k_{end(data)}'


def test_every_experiment_of_the_paper_is_there(capsys):
    wanted = list(wanted_names())
    assert sorted(wanted) == PAPER
    for k, name in product(NUMBERS, TEST_SETS):
        assert f'fgsn-c{k}_r101-d8_pspnet_{name}' in TESTS
    assert len(TESTS) == len(NUMBERS) * len(TEST_SETS)
    with capsys.disabled():
        print(
            f'\nconfigs: {len(PAPER)} of the paper, {len(TESTS)} for tests, '
            f'{len(NAMES) - len(PAPER)} others of FGSN'
        )


@pytest.mark.parametrize('name', NAMES)
def test_name_and_content_agree(name):
    parts = PATTERN.fullmatch(name)
    assert parts, name
    config = load(name)
    assert config.model.type == 'FGSN'
    assert config.model.num_clusters == int(parts['k'])
    built = build_model(config)
    assert built.decode_head.conv_seg.out_channels == int(parts['k'])
    iters = int(parts['iters']) * (1000 if parts['thousand'] else 1)
    assert config.train_cfg.max_iters == iters
    assert config.param_scheduler[-1].end == iters
    assert config.train_dataloader.batch_size == int(parts['batch'])
    crop = (int(parts['height']), int(parts['width']))
    for dataset in datasets(config.train_dataloader):
        (step,) = [s for s in dataset.pipeline if 'CropPair' in s.type]
        assert tuple(step.crop_size) == crop
        assert dataset.data_root.startswith('data/')
    check_clustering(config)


def check_clustering(config):
    (hook,) = [h for h in config.custom_hooks if h.type == 'ClusteringHook']
    HOOKS.build(hook)
    references = datasets(hook.dataloader)
    assert {d.type for d in references} == {'ReferenceImageDataset'}
    # It must not see what validates.
    for dataset, trained in zip(references, datasets(config.train_dataloader)):
        assert dataset.data_root == trained.data_root
        assert dataset.ann_file == trained.ann_file
        assert dataset.ann_file != config.val_dataloader.dataset.get(
            'ann_file'
        )
    checkpoint = config.default_hooks.checkpoint
    assert (checkpoint.save_best, checkpoint.rule) == ('match_bits', 'greater')


@pytest.mark.parametrize('name', PAPER)
def test_experiments_differ_as_their_names_say(name):
    parts = PATTERN.fullmatch(name)
    config, model = load(name), load(name).model
    extra = parts['extras']
    assert model.feature_layer == 'bottleneck.bn' and model.norm_eval
    built = build_model(config)
    for head, weight in ((built.decode_head, 1), (built.auxiliary_head, 0.4)):
        dense = head.loss_decode.loss_weight
        assert dense == (0 if extra == 'noseg' else weight)
        for loss, there in (
            (head.loss_corr, extra != 'nocorr'),
            (head.loss_feat, extra == 'hinge'),
        ):
            assert (loss is not None) == there
            assert loss is None or loss.loss_weight == weight
    fraction = model.get('fraction_reference', 0.5)
    assert fraction == (None if extra == 'both' else 0.5)
    wrapper = config.optim_wrapper
    assert (wrapper.type == 'AmpOptimWrapper') == (extra == 'amp')
    kind = 'StaircaseLR' if extra == 'staircase' else 'PolyLR'
    assert config.param_scheduler[0].type == kind
    # The authors' rule: 1e-4 / sqrt(16 / pairs an iteration).
    assert wrapper.optimizer.lr == pytest.approx(
        1e-4 / (16 / int(parts['gpus'])) ** 0.5
    )
    part = 10000 // 2 ** (int(parts['gpus']) == 4)
    assert config.custom_hooks[0].get('interval', 10000) == part
    assert config.train_cfg.val_interval == part // 4
    check_start(config, parts['backbone'])
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        found = [d.data_root for d in datasets(config[loader])]
        assert set(found) == ROOTS[parts['data']]
        for dataset in datasets(config[loader]):
            city = 'RobotCar' if 'ROBOT' in dataset.data_root else 'CMU'
            assert dataset.type == f'{city}CorrespondenceDataset'
    METRICS.build(config.val_evaluator)


def check_start(config, backbone):
    in1k = backbone == 'r101-d8-in1k-pre'
    preprocessor = config.model.data_preprocessor
    assert preprocessor.type == 'PairDataPreProcessor'
    assert preprocessor.bgr_to_rgb == in1k
    assert config.model.backbone.type == ('ResNet' if in1k else 'ResNetV1c')
    if in1k:
        assert config.model.get('init_cfg') is None
        init = config.model.backbone.init_cfg
        assert init.checkpoint == 'torchvision://resnet101'
        return
    # With `load_from`, mmengine's --resume would resume from the start.
    assert config.load_from is None
    base = Path(config.model.init_cfg.checkpoint).stem
    # The start is one of our own configs, of the same shape.
    start = load(base, FOLDER.parent / 'base')
    vistas = backbone == 'r101-d8'
    assert base.endswith('_cityscapes-vistas-713x713') == vistas
    assert start.model.backbone == config.model.backbone
    for head in (start.model.decode_head, config.model.decode_head):
        head.loss_decode.pop('loss_weight')  # 0 where it is left out
    assert start.model.decode_head == config.model.decode_head


@pytest.mark.parametrize('name', TESTS)
def test_test_configs(name):
    number, data = re.fullmatch(
        r'fgsn-c(\d+)_r101-d8_pspnet_([a-z-]+)', name
    ).groups()
    config = Config.fromfile(FOLDER / 'test' / f'{name}.py')
    assert config.model.num_clusters == int(number)
    build_model(config)
    dataset, metric = TEST_SETS[data]
    assert config.test_dataloader.dataset.type == dataset
    assert config.test_evaluator.type == metric
    METRICS.build(config.test_evaluator)


@pytest.fixture
def narrow():
    """The paper's config with a network of some thousand parameters."""
    config = Config.fromfile(
        FOLDER / 'fgsn-c100_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'
    )
    config.merge_from_dict(
        {
            'model.backbone.depth': 50,
            'model.backbone.stem_channels': 8,
            'model.backbone.base_channels': 4,
            'model.decode_head.in_channels': 128,
            'model.decode_head.channels': 16,
            'model.auxiliary_head.in_channels': 64,
            'model.auxiliary_head.channels': 8,
        }
    )
    return config


def test_biases_have_twice_the_rate_and_no_decay(narrow):
    model = MODELS.build(narrow.model)
    wrapper = build_optim_wrapper(model, narrow.optim_wrapper)
    found = {}
    for group in wrapper.optimizer.param_groups:
        for parameter in group['params']:
            found[id(parameter)] = group['lr'], group['weight_decay']
        assert group['nesterov'] and group['momentum'] == 0.9
    for name, parameter in model.named_parameters():
        twice = name.endswith('.bias')
        expected = (5e-5, 0) if twice else (2.5e-5, 1e-4)
        assert found[id(parameter)] == expected, name
    norm = [n for n, _ in model.named_parameters() if 'bn1.bias' in n]
    assert norm  # BatchNorm is among them


@pytest.mark.parametrize(
    'extra, expected',
    [
        # mmengine's PolyLR is at 0 one iteration early.
        ('', {0: 1.0, 1: 1 - 1 / 59999, 15000: 0.75, 59999: 0}),
        ('-staircase', {0: 1, 9999: 1, 10000: 5 / 6, 59999: 1 / 6}),
    ],
)
def test_learning_rate_falls_as_in_the_paper(extra, expected):
    config = load(f'fgsn-c100_r101-d8_pspnet_1xb1{extra}-60k_cmu-713x713')
    layer = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=2.5e-5)
    scheduler = PARAM_SCHEDULERS.build(
        {**config.param_scheduler[0], 'optimizer': optimizer}
    )
    for step in range(60000):
        if step in expected:
            rate = optimizer.param_groups[0]['lr']
            assert rate / 2.5e-5 == pytest.approx(expected[step], abs=2e-5)
        scheduler.step()
