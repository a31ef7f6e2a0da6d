import copy

import pytest
import torch
from mmengine.model import is_model_wrapper
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from tiny_fgsn import CROP, build_model, model_config, pair_batch, teach

from fgsn_mmseg.models import FGSN


def norms(model):
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d)
        and not name.startswith('teacher.')
    ]


def step(model, lr=0.01, batch=None):
    """One step of plain SGD."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=lr)
    total, log = model.parse_losses(model.loss(*(batch or pair_batch())))
    total.backward()
    optimizer.step()
    return log


class TestConstruction:
    def test_one_number_of_clusters(self):
        config = model_config(num_clusters=300)
        before = copy.deepcopy(config)
        model = MODELS.build(config)
        assert config == before
        assert isinstance(model, FGSN)
        for head in (model.decode_head, model.auxiliary_head):
            assert head.num_classes == head.out_channels == 300
            assert head.conv_seg.weight.shape[0] == 300

    def test_parameter_names_of_encoder_decoder(self):
        model = build_model()
        config = model_config()
        for key in (
            'num_clusters',
            'data_preprocessor',
            'loss_corr',
            'loss_feat',
        ):
            config.pop(key)
        plain = MODELS.build({**config, 'type': 'EncoderDecoder'})
        names = [
            name
            for name in model.state_dict()
            if not name.startswith(('teacher.', 'codebook.'))
        ]
        assert names == list(plain.state_dict())

    def test_several_auxiliary_heads(self):
        config = model_config()
        config['auxiliary_head'] = [config['auxiliary_head']] * 2
        model = teach(MODELS.build(config))
        losses = model.loss(*pair_batch())
        assert sorted(losses) == [
            f'{head}.loss_{name}'
            for head in ('aux_0', 'aux_1', 'decode')
            for name in ('corr', 'seg')
        ]

    def test_without_auxiliary_head(self):
        model = teach(build_model(auxiliary_head=None))
        assert set(model.loss(*pair_batch())) == {
            'decode.loss_corr',
            'decode.loss_seg',
        }

    def test_grid_follows_align_corners(self):
        for kwargs, grid in (
            (dict(align_corners=True), 'corners'),
            (dict(align_corners=False), 'centers'),
            (dict(grid='authors'), 'authors'),
        ):
            model = build_model(w_feat=1.0, **kwargs)
            assert model.grid == grid
            for head in (model.decode_head, model.auxiliary_head):
                assert head.loss_corr.grid == head.loss_feat.grid == grid

    def test_configs_of_the_losses(self):
        options = dict(num_negatives=3, match_margin=0.5, loss_weight=2.0)
        model = build_model(loss_feat=dict(type='FeatureHingeLoss', **options))
        for head, weight in (
            (model.decode_head, 2.0),
            (model.auxiliary_head, 0.8),
        ):
            assert head.loss_feat.num_negatives == 3
            assert head.loss_feat.match_margin == 0.5
            assert head.loss_feat.loss_weight == weight

    @pytest.mark.parametrize(
        'kwargs, message',
        [
            (dict(num_clusters=1), r'`num_clusters` should be in 2\.\.65534'),
            (dict(fraction_reference=1.5), r'in \[0, 1\] or None'),
            (dict(feature_layer='nowhere'), "but got 'nowhere'"),
            (dict(grid='middle'), '`grid` should be one of'),
        ],
    )
    def test_what_is_refused(self, kwargs, message):
        with pytest.raises(ValueError, match=message):
            MODELS.build(model_config(**kwargs))

    @pytest.mark.parametrize('given', [20.0, '20', True, None])
    def test_number_of_clusters_that_is_none(self, given):
        with pytest.raises(TypeError, match='should be a whole number'):
            MODELS.build(model_config(num_clusters=given))

    @pytest.mark.parametrize(
        'key, remedy',
        [
            ('num_cluster', r'Did you mean `num_clusters`\?'),
            ('feature_layers', r'Did you mean `feature_layer`\?'),
            ('something_else', 'Leave it out.'),
        ],
    )
    def test_misspelt_keys(self, key, remedy):
        with pytest.raises(TypeError, match=f'no key `{key}`. {remedy}'):
            MODELS.build(model_config(**{key: 30}))


class TestModes:
    def test_statistics_are_frozen(self):
        model = teach(build_model())
        assert len(norms(model)) > 20
        before = copy.deepcopy(model.state_dict())
        assert not any(module.training for _, module in norms(model))
        assert model.training and model.backbone.training
        step(model)
        trained = 0
        for name, module in norms(model):
            for buffer, value in module.named_buffers():
                assert torch.equal(value, before[f'{name}.{buffer}'])
            # Scale and bias are trained all the same.
            trained += not torch.equal(module.weight, before[f'{name}.weight'])
        assert trained > 20

    def test_statistics_move_without_norm_eval(self):
        model = teach(build_model(norm_eval=False))
        before = copy.deepcopy(model.state_dict())
        step(model)
        for name, module in norms(model):
            assert module.training
            mean = before[f'{name}.running_mean']
            assert not torch.equal(module.running_mean, mean)

    def test_teacher_stays_as_it_is(self):
        for norm_eval in (True, False):
            model = teach(build_model(norm_eval=norm_eval, dropout=0.1))
            before = copy.deepcopy(model.teacher.state_dict())
            student = copy.deepcopy(model.backbone.state_dict())
            images = pair_batch()[0]['img']
            labels = model.label_maps(images)
            for _ in range(2):
                model.train()
                step(model)
            assert not any(m.training for m in model.teacher.modules())
            for name, value in model.teacher.state_dict().items():
                assert torch.equal(value, before[name])
            assert any(
                not torch.equal(value, student[name])
                for name, value in model.backbone.state_dict().items()
            )
            assert torch.equal(model.label_maps(images), labels)
            assert not any(p.requires_grad for p in model.teacher.parameters())

    def test_dropout_is_active(self):
        model = teach(build_model(dropout=0.5, fraction_reference=None))
        batch = pair_batch()
        losses = [float(model.loss(*batch)['decode.loss_corr'])]
        for seed in (1, 1):
            torch.manual_seed(seed)
            losses.append(float(model.loss(*batch)['decode.loss_corr']))
        assert losses[1] == losses[2] != losses[0]


class TestInputs:
    def test_single_images(self):
        model = teach(build_model())
        with pytest.raises(TypeError, match='pairs'):
            model.loss(torch.zeros(1, 3, *CROP), [SegDataSample()])

    def test_images_of_two_sizes(self):
        inputs, samples = pair_batch()
        inputs['img2'] = inputs['img2'][..., :-8]
        with pytest.raises(ValueError, match='RandomCropPair'):
            teach(build_model()).loss(inputs, samples)

    def test_through_the_preprocessor(self):
        """`forward(mode='loss')` as a runner calls it."""
        model = teach(build_model())
        inputs, samples = pair_batch()
        batch = dict(
            inputs={
                key: [(image * 60 + 110).byte() for image in images]
                for key, images in inputs.items()
            },
            data_samples=samples,
        )
        data = model.data_preprocessor(batch, training=True)
        losses = model(**data, mode='loss')
        assert all(value.isfinite() for value in losses.values())
        assert not is_model_wrapper(model)

    def test_logged_values_are_losses(self):
        """A key with `loss` is summed into the total by mmengine."""
        model = teach(build_model())
        losses = model.loss(*pair_batch())
        total, _ = model.parse_losses(losses)
        assert all('loss' in key for key in losses)
        assert float(total) == pytest.approx(sum(map(float, losses.values())))


def test_cluster_beyond_255_is_predicted():
    model = build_model(num_clusters=300).eval()
    with torch.no_grad():
        model.decode_head.conv_seg.bias[280] = 1e4
    sample = SegDataSample(
        metainfo=dict(ori_shape=(50, 70), img_shape=CROP, padding_size=[0] * 4)
    )
    with torch.no_grad():
        (result,) = model.predict(torch.randn(1, 3, *CROP), [sample])
    labels = result.pred_sem_seg.data
    assert labels.shape == (1, 50, 70) and labels.dtype == torch.int64
    assert (labels == 280).all()


def test_cluster_255_is_trained():
    model = teach(build_model(num_clusters=300, fraction_reference=1.0))
    with torch.no_grad():  # the teacher says 255 everywhere
        model.codebook.centroids.fill_(1e3)
        model.codebook.centroids[255] = 0
    batch = pair_batch()
    assert (model.label_maps(batch[0]['img']) == 255).all()
    before = model.decode_head.conv_seg.bias[255].item()
    first = step(model, 1e-3, batch)
    assert model.decode_head.conv_seg.bias[255].item() > before
    model.zero_grad()
    assert step(model, 1e-3, batch)['loss'] < first['loss']
