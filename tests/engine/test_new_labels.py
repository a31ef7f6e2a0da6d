"""What remembers the old labels is told of new ones, and nothing else is."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.hooks import EMAHook, Hook
from mmengine.model import BaseModel
from mmseg.registry import MODELS
from tiny_runs import (
    QuietRunner,
    clusterings,
    make_pairs,
    make_runner,
    run_config,
    scalars,
    train,
)
from torch import nn

from fgsn_mmseg.clustering import Codebook
from fgsn_mmseg.engine import ClusteringHook
from fgsn_mmseg.engine.seeding import derive_seed
from fgsn_mmseg.inference import whole

CLASSIFIER = 'decode_head.conv_seg.weight'


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp('pairs'))


def losses(work_dir):
    return [row['loss'] for row in scalars(work_dir) if 'loss' in row]


def hook_of(runner, kind=ClusteringHook):
    return next(hook for hook in runner.hooks if isinstance(hook, kind))


def test_activation_checkpointing_changes_nothing(pairs, tmp_path):
    """The teacher must not run the student's layers."""
    train(pairs, tmp_path / 'plain', max_iters=3)
    train(
        pairs,
        tmp_path / 'saving',
        max_iters=3,
        activation_checkpointing=['backbone.layer3', 'backbone.layer4'],
    )
    expected = losses(tmp_path / 'plain')
    assert losses(tmp_path / 'saving') == pytest.approx(expected, rel=1e-5)


class NoteAverages(Hook):
    priority = 'LOW'  # after the ClusteringHook

    def __init__(self):
        self.notes = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        averaged = hook_of(runner, EMAHook).ema_model.module
        self.notes[runner.iter] = [
            copy.deepcopy(model.state_dict())
            for model in (runner.model, averaged)
        ]


@pytest.mark.parametrize('update_buffers', [False, True])
def test_averaged_model_takes_new_labels(pairs, tmp_path, update_buffers):
    note = NoteAverages()
    load = [dict(type='LoadCorrespondences'), dict(type='LoadImagePair')]
    runner = make_runner(
        pairs,
        tmp_path / 'run',
        max_iters=4,
        hooks=[
            note,
            EMAHook(momentum=0.1, update_buffers=update_buffers),
        ],
        train_cfg=dict(
            type='ResumableIterBasedTrainLoop', max_iters=4, val_interval=2
        ),
        val_dataloader=dict(
            batch_size=1,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(
                type='CorrespondenceDataset',
                data_root=str(pairs),
                serialize_data=False,
                pipeline=[*load, dict(type='PackPairInputs')],
            ),
        ),
        val_cfg=dict(type='ValLoop'),
        val_evaluator=dict(type='CorrespondenceMetric'),
    )
    runner.train()
    for iteration in (0, 2):
        student, averaged = note.notes[iteration]
        for name, value in student.items():
            taken = name.startswith(('teacher.', 'codebook.'))
            if taken or '.conv_seg.' in name:
                assert torch.equal(averaged[name], value), (iteration, name)
    student, averaged = note.notes[2]
    weight = 'backbone.layer4.0.conv1.weight'
    assert not torch.equal(averaged[weight], student[weight])
    # Between clusterings the labels of both stay the same.
    student, averaged = note.notes[3]
    for name in student:
        if name.startswith(('teacher.', 'codebook.')):
            assert torch.equal(averaged[name], student[name]), name
    assert not torch.equal(averaged[CLASSIFIER], student[CLASSIFIER])


def test_gradients_of_old_labels_are_dropped(pairs, tmp_path):
    class NoteGradients(Hook):
        priority = 'LOW'

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            model = runner.model
            classifier = model.decode_head.conv_seg.weight.grad
            rest = model.backbone.layer1[0].conv1.weight.grad
            seen[runner.iter] = (classifier is not None, rest is not None)

    seen = {}
    train(
        pairs,
        tmp_path / 'run',
        max_iters=4,
        interval=2,
        hooks=[NoteGradients()],
        optim_wrapper=dict(
            type='OptimWrapper',
            optimizer=dict(type='SGD', lr=0.01),
            accumulative_counts=4,
        ),
    )
    assert seen == {
        0: (False, False),
        1: (True, True),
        2: (False, True),  # a clustering
        3: (True, True),
    }


def test_padding_is_not_clustered(pairs, tmp_path):
    """Photos of 73 x 105, padded to 128 x 128: 16 x 16 cells, of which
    those up to pixel 72.5 and 104.5 count: 8.467 pixels apart, 9 x 13."""
    preprocessor = dict(
        type='PairDataPreProcessor',
        mean=[120.0, 110.0, 100.0],
        std=[60.0, 60.0, 60.0],
        bgr_to_rgb=True,
        test_cfg=dict(size_divisor=64),
    )
    train(
        pairs,
        tmp_path / 'run',
        max_iters=1,
        model=dict(data_preprocessor=preprocessor),
        hook=dict(features_per_image=10_000, fraction=1.0),
    )
    assert scalars(tmp_path / 'run')[0]['clustering/features'] == 5 * 9 * 13


def test_codebook_is_that_of_the_features_and_the_seed(pairs, tmp_path):
    """k-means has the iterations that are asked for and a seed of its own.

    With a rate of 0 the features can be sampled once more afterwards.
    """
    runner = train(
        pairs,
        tmp_path / 'run',
        max_iters=3,
        hook=dict(kmeans_iterations=2),
        optim_wrapper=dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=0.0)
        ),
    )
    saved = clusterings(tmp_path / 'run')
    hook = hook_of(runner)
    found = []
    for iteration in (0, 2):
        runner.train_loop._iter = iteration
        runner.model.eval()
        rows = hook.gather_features(runner, runner.model)[0].features()
        expected = Codebook(6, 12, 5)
        seed = derive_seed('k-means', hook.seed, iteration) % 2**31
        expected.fit(rows, seed, 2)
        np.testing.assert_array_equal(
            saved[iteration]['cluster_centroids'], expected.centroids.numpy()
        )
        other = Codebook(6, 12, 5)
        other.fit(rows, seed, 3)
        found.append(torch.equal(other.centroids, expected.centroids))
    assert not all(found)


@pytest.mark.parametrize('norm_eval', [True, False])
def test_features_are_those_of_eval_mode(pairs, tmp_path, norm_eval):
    """Neither live BatchNorm nor dropped paths while it clusters."""
    runner = make_runner(
        pairs, tmp_path / 'run', max_iters=1, model=dict(norm_eval=norm_eval)
    )
    model = runner.model
    modes = []

    def note(module, args):
        modes.append({m.training for m in model.modules()})

    handle = model.backbone.register_forward_pre_hook(note)
    runner.train()
    handle.remove()
    assert modes[:5] == [{False}] * 5  # the references
    assert True in modes[5] and model.training


def test_other_features_than_those_of_the_labels(pairs, tmp_path):
    train(pairs, tmp_path / 'run', max_iters=3)
    with pytest.raises(ValueError) as error:
        train(
            pairs,
            tmp_path / 'run',
            max_iters=4,
            resume=True,
            model=dict(feature_layer='bottleneck.bn'),
        )
    assert str(error.value).startswith("`feature_layer` should be ''")
    assert '\n' not in str(error.value)


def test_start_from_a_network_in_training(pairs, tmp_path):
    """By `model.init_cfg`, as docs/training.md recommends it."""
    train(pairs, tmp_path / 'first', max_iters=3)
    start = tmp_path / 'first/iter_3.pth'
    runner = make_runner(
        pairs,
        tmp_path / 'second',
        max_iters=1,
        model=dict(init_cfg=dict(type='Pretrained', checkpoint=str(start))),
        optim_wrapper=dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=0.0)
        ),
    )
    runner.train()
    saved = torch.load(start)['state_dict']
    for name, value in runner.model.state_dict().items():
        if name.startswith('backbone.'):
            assert torch.equal(value, saved[name]), name
    assert list(clusterings(tmp_path / 'second')) == [0]


def test_sampler_as_pure_python_configs_name_it(pairs, tmp_path):
    """By its class."""
    config = run_config(pairs, tmp_path / 'run', max_iters=1)
    config.train_dataloader.sampler.type = InfiniteSampler
    QuietRunner.from_cfg(config).train()
    assert clusterings(tmp_path / 'run')


def test_reference_images_of_several_sizes(tmp_path):
    """A batch of them goes image by image."""
    root = make_pairs(tmp_path / 'pairs', sizes=[(73, 105), (65, 73)])
    counts = []
    for batch in (1, 3):
        work_dir = tmp_path / f'batch_{batch}'
        runner = make_runner(root, work_dir, max_iters=1)
        hook_of(runner).dataloader['batch_size'] = batch
        runner.train()
        counts.append(clusterings(work_dir)[0]['cluster_centroids'])
    np.testing.assert_allclose(counts[0], counts[1], atol=1e-5)


def test_training_without_crop(tmp_path):
    """Images of two sizes are padded to one; padding has no label."""
    root = make_pairs(
        tmp_path / 'pairs', sizes=[(73, 105), (65, 73), (65, 73)]
    )
    config = run_config(
        root,
        tmp_path / 'run',
        max_iters=2,
        model=dict(fraction_reference=None),
    )
    pipeline = config.train_dataloader.dataset.pipeline
    pipeline[:] = [s for s in pipeline if s.type != 'RandomCropPair']
    runner = QuietRunner.from_cfg(config)
    seen = []
    head = runner.model.decode_head

    def note(module, args):
        if head.training:
            seen.append(args[1])

    head.loss_decode.register_forward_pre_hook(note)
    runner.train()
    # One of the batch is the largest image itself.
    corners = torch.cat([labels[:, -1, -1] for labels in seen])
    assert (corners == 65535).any() and (corners < 6).any()
    assert all(np.isfinite(losses(tmp_path / 'run')))


def test_memory_is_bounded(pairs, tmp_path):
    train(
        pairs,
        tmp_path / 'run',
        max_iters=1,
        hook=dict(features_per_image=20, fraction=1.0, max_features=37),
    )
    assert scalars(tmp_path / 'run')[0]['clustering/features'] == 37


@MODELS.register_module()
class OwnModel(BaseModel):
    """A model of a user's own: one layer, one classifier, no teacher."""

    num_clusters, pca_dim, grid, has_labels = 4, 3, 'centers', False

    def __init__(self, data_preprocessor):
        super().__init__(data_preprocessor)
        self.layer = nn.Conv2d(3, 3, 4, 4)
        self.classifier = nn.Conv2d(3, 4, 1)

    def clustering_features(self, images):
        return whole(self.layer, images, align_corners=False)

    def set_codebook(self, codebook):
        self.codebook, self.has_labels = codebook, True

    def redraw_classifiers(self, generator, std):
        self.classifier.weight.data.normal_(0, std, generator=generator)
        return [self.classifier.weight]

    def forward(self, inputs, data_samples=None, mode='loss'):
        features = self.layer(inputs['img'])
        labels = self.codebook.assign_map(features.detach())
        logits = self.classifier(features)
        return dict(loss=nn.functional.cross_entropy(logits, labels))


def test_a_model_of_ones_own(pairs, tmp_path):
    config = run_config(pairs, tmp_path / 'run', max_iters=4)
    preprocessor = config.model.data_preprocessor
    config.model = dict(type='OwnModel', data_preprocessor=preprocessor)
    runner = QuietRunner.from_cfg(config)
    runner.train()
    saved = clusterings(tmp_path / 'run')
    assert list(saved) == [0, 2]
    np.testing.assert_array_equal(
        saved[2]['cluster_centroids'], runner.model.codebook.centroids.numpy()
    )
