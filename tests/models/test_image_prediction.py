from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine import Config, ConfigDict
from mmseg.apis import (
    MMSegInferencer,
    inference_model,
    init_model,
    show_result_pyplot,
)
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from scipy.ndimage import maximum_filter, minimum_filter
from tiny_fgsn import CROP, images, model_config, sharp_model

from fgsn_mmseg.datasets import cluster_palette
from fgsn_mmseg.inference import blend_windows
from fgsn_mmseg.models.segmentors import ClusterTTAModel

PADDING = [3, 10, 5, 2]  # left, right, top, bottom


def samples(*metas):
    return [SegDataSample(metainfo=dict(meta)) for meta in metas]


def predict(model, inputs, metas, **options):
    """Results of an image each, with further keys of `test_cfg`."""
    kept = model.test_cfg
    model.test_cfg = ConfigDict(kept, **options)
    with torch.no_grad():
        results = model.predict(inputs, samples(*metas))
    model.test_cfg = kept
    return results


def assert_equal_but_ties(found, expected):
    """The labels win in mmseg's logits, within rounding."""
    labels = found.pred_sem_seg.data
    logits = expected.seg_logits.data
    assert labels.dtype == torch.int64
    assert labels.shape == expected.pred_sem_seg.data.shape
    behind = logits.amax(0) - logits.gather(0, labels)[0]
    assert behind.max() < 1e-3
    assert (labels == expected.pred_sem_seg.data).float().mean() > 0.999
    assert len(labels.unique()) > 3


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('flip', [None, 'horizontal', 'vertical'])
def test_whole_equals_mmseg(align_corners, flip):
    model = sharp_model(align_corners=align_corners, num_clusters=30)
    inner = (CROP[0] - 7, CROP[1] - 13)
    metas = [
        dict(img_shape=CROP, ori_shape=CROP, padding_size=[0] * 4),
        dict(
            img_shape=CROP,
            ori_shape=inner,
            img_padding_size=PADDING,
            flip=flip is not None,
            flip_direction=flip,
        ),
    ]
    found = predict(model, images(), metas)
    expected = predict(model, images(), metas, seg_logits=True)
    for one, other in zip(found, expected):
        assert_equal_but_ties(one, other)
        assert 'seg_logits' not in one
    assert found[1].pred_sem_seg.shape == inner


@pytest.mark.parametrize('size', [(200, 250), (49, 65), (97, 40)])
def test_resized_to_the_original_size(size):
    model = sharp_model(num_clusters=10)
    metas = [dict(img_shape=CROP, ori_shape=size)] * 2
    found = predict(model, images(), metas)
    expected = predict(model, images(), metas, exact=True)
    for one, other in zip(found, expected):
        assert one.pred_sem_seg.shape == size
        same = one.pred_sem_seg.data == other.pred_sem_seg.data
        # mmseg interpolates the interpolated once more.
        assert same.float().mean() > 0.97


def test_batch_of_different_originals():
    model = sharp_model()
    metas = [dict(ori_shape=(50, 60)), dict(ori_shape=(70, 40))]
    both = predict(model, images(), metas)
    assert [one.pred_sem_seg.shape for one in both] == [(50, 60), (70, 40)]
    alone = predict(model, images()[1:], metas[1:])[0]
    same = both[1].pred_sem_seg.data == alone.pred_sem_seg.data
    assert same.float().mean() > 0.999


def test_without_samples():
    model = sharp_model()
    with torch.no_grad():
        results = model.predict(images())
    assert [one.pred_sem_seg.shape for one in results] == [CROP, CROP]


@pytest.mark.parametrize('align_corners', [True, False])
def test_exact_is_mmseg(align_corners):
    slide = dict(mode='slide', crop_size=(65, 81), stride=(33, 47))
    model = sharp_model(slide, align_corners=align_corners)
    plain = MODELS.build(plain_config(model_config(), slide, align_corners))
    plain.load_state_dict(
        {
            name: tensor
            for name, tensor in model.state_dict().items()
            if not name.startswith(('teacher.', 'codebook.'))
        },
        strict=True,
    )
    metas = [dict(img_shape=CROP, ori_shape=CROP, pad_shape=CROP)] * 2
    expected = predict(plain.eval(), images(), metas)
    for one, other in zip(
        predict(model, images(), metas, seg_logits=True), expected
    ):
        assert torch.equal(one.seg_logits.data, other.seg_logits.data)
        assert torch.equal(one.pred_sem_seg.data, other.pred_sem_seg.data)
    for one, other in zip(
        predict(model, images(), metas, exact=True), expected
    ):
        assert torch.equal(one.pred_sem_seg.data, other.pred_sem_seg.data)
        assert 'seg_logits' not in one


def plain_config(config, test_cfg, align_corners):
    config.type = 'EncoderDecoder'
    for key in ('loss_corr', 'loss_feat'):
        config.pop(key)
    classes = config.pop('num_clusters')
    config.data_preprocessor = None
    config.test_cfg = ConfigDict(test_cfg)
    for head in (config.decode_head, config.auxiliary_head):
        head.num_classes = classes
        head.align_corners = align_corners
    return config


@pytest.mark.parametrize(
    ('blending', 'share'), [('ramp', 0.8), ('uniform', 0.9)]
)
def test_slide_is_close_to_mmseg(blending, share):
    # On this size both lay the same windows: they differ in the weights and,
    # at the windows' borders, in what is averaged first.
    slide = dict(mode='slide', crop_size=(97, 97), stride=(32, 32))
    model = sharp_model(slide, num_clusters=10)
    inputs = images(size=(97, 129))
    metas = [dict(img_shape=CROP, ori_shape=CROP)] * 2
    found = predict(model, inputs, metas, blending=blending)
    expected = predict(model, inputs, metas, exact=True)
    for one, other in zip(found, expected):
        same = one.pred_sem_seg.data == other.pred_sem_seg.data
        assert same.float().mean() > share


def test_blending_is_checked():
    slide = dict(mode='slide', crop_size=(65, 65), stride=(32, 32))
    model = sharp_model(slide)
    with pytest.raises(ValueError, match='weights'):
        predict(model, images(1), [dict(ori_shape=CROP)], blending='none')


@pytest.mark.parametrize('exact', [True, False])
def test_confidence(exact):
    model = sharp_model(num_clusters=30)
    metas = [dict(img_shape=CROP, ori_shape=CROP)]
    options = dict(exact=exact, confidence=True)
    (found,) = predict(model, images(1), metas, **options)
    (dense,) = predict(model, images(1), metas, seg_logits=True)
    best = dense.seg_logits.data.softmax(0).topk(2, 0).values
    assert found.confidence.data.shape == (2, *CROP)
    assert (found.confidence.data - best).abs().max() < 1e-4
    assert_equal_but_ties(found, dense)
    assert 'confidence' not in dense


def test_mmseg_apis(tmp_path):
    model = sharp_model(num_clusters=300)
    torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'x')
    config = Config(
        dict(
            model=model_config(num_clusters=300),
            default_scope='mmseg',
            custom_imports=dict(imports=['fgsn_mmseg']),
            test_pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(129, 97), keep_ratio=False),
                dict(type='PackSegInputs'),
            ],
            visualizer=dict(type='PairVisualizer', name='visualizer'),
        )
    )
    config.test_dataloader = dict(dataset=dict(pipeline=config.test_pipeline))
    inferencer = MMSegInferencer(config, str(tmp_path / 'x'), device='cpu')
    loaded = init_model(config, str(tmp_path / 'x'), device='cpu')
    photo = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    result = inference_model(loaded, photo)
    assert result.pred_sem_seg.data.shape == (1, 120, 160)
    assert result.pred_sem_seg.data.max() > 255
    assert 'seg_logits' not in result
    found = inferencer(photo, return_vis=True)
    expected = result.pred_sem_seg.data[0].numpy()
    np.testing.assert_array_equal(found['predictions'], expected)
    assert found['visualization'].shape == photo.shape


def test_show_result_pyplot(tmp_path):
    """As after a training on pairs, whose data set knows no classes."""
    model = sharp_model(num_clusters=300)
    meta = dict(dataset_meta=dict(dataset_type='correspondence'))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), tmp_path / 'x')
    config = Config(
        dict(
            model=model_config(num_clusters=300),
            test_pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='PackSegInputs'),
            ],
        )
    )
    loaded = init_model(config, str(tmp_path / 'x'), device='cpu')
    photo = np.zeros((*CROP, 3), np.uint8)
    photo[:, 60:] = 200
    result = inference_model(loaded, photo)
    assert result.num_clusters == 300
    drawn = show_result_pyplot(
        loaded, photo, result, show=False, opacity=1.0, with_labels=False
    )
    labels = result.pred_sem_seg.data[0].numpy()
    # Older mmengine draws on a canvas, which may move borders by a pixel.
    inside = minimum_filter(labels, 3) == maximum_filter(labels, 3)
    assert inside.mean() > 0.5
    expected = cluster_palette(300)[labels]
    np.testing.assert_array_equal(drawn[inside], expected[inside])
    # Names of one's own are kept.
    own = dict(classes=['x'] * 300, palette=[[1, 2, 3]] * 300)
    loaded.dataset_meta = own
    assert loaded.dataset_meta == own


def test_time_augmentation():
    model = sharp_model()
    image = images(1)
    meta = dict(img_path='a', ori_shape=CROP, img_shape=CROP)
    samples = [
        SegDataSample(metainfo=dict(meta, flip=flip)) for flip in (False, True)
    ]
    samples[1].set_metainfo(dict(flip_direction='horizontal'))
    with pytest.raises(AttributeError, match='seg_logits'):
        SegTTAModel(model).merge_preds([model.predict(image, samples[:1])])
    tta = ClusterTTAModel(model)
    batch = [
        dict(inputs=one, data_samples=[sample])
        for one, sample in zip((image, image.flip(3)), samples)
    ]
    expected = sum(
        model.predict(part['inputs'], [part['data_samples'][0].clone()])[
            0
        ].seg_logits.data.softmax(0)
        for part in batch
    )
    merged = tta.merge_preds([[model.predict(**part)[0] for part in batch]])
    assert torch.equal(merged[0].pred_sem_seg.data[0], expected.argmax(0))


def test_windows_are_blended_with_ramps_unless_the_config_says_else():
    slide = dict(mode='slide', crop_size=(65, 81), stride=(33, 41))
    maps = {}
    for name in ('default', 'ramp', 'uniform'):
        options = {} if name == 'default' else dict(blending=name)
        model = sharp_model({**slide, **options})
        with torch.no_grad():
            maps[name] = model.logit_map(images()).data
            expected = blend_windows(
                lambda part, model=model: model.student_maps(part).logits,
                images(),
                (65, 81),
                (33, 41),
                True,
                'ramp' if name == 'default' else name,
            )
        assert torch.equal(maps[name], expected.data)
    assert torch.equal(maps['default'], maps['ramp'])
    assert not torch.allclose(maps['ramp'], maps['uniform'], atol=1e-3)
