import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmseg.registry import HOOKS
from tiny_runs import (
    assert_same_codebook,
    clusterings,
    make_pairs,
    run_config,
    scalars,
    train,
)

from fgsn_mmseg.clustering import read_codebook
from fgsn_mmseg.engine import ClusteringHook


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp('pairs'))


class Spy(Hook):
    """What the model is like at the start and at the end of iterations."""

    priority = 'LOW'  # after the ClusteringHook

    def __init__(self):
        self.before, self.after = [], []

    @staticmethod
    def look(runner):
        model = runner.model
        state = runner.optim_wrapper.optimizer.state
        heads = (model.decode_head, model.auxiliary_head)
        has_momentum = [
            state.get(p, {}).get('momentum_buffer') is not None
            for head in heads
            for p in head.conv_seg.parameters()
        ]
        return dict(
            iter=runner.iter,
            training=model.training,
            weight=model.decode_head.conv_seg.weight.detach().clone(),
            bias=model.decode_head.conv_seg.bias.detach().clone(),
            centroids=model.codebook.centroids.clone(),
            classifier_momentum=has_momentum,
            momentum=sum('momentum_buffer' in s for s in state.values()),
            student=[
                value.clone() for value in model.backbone.state_dict().values()
            ],
            teacher=[
                value.clone()
                for value in model.teacher.backbone.state_dict().values()
            ],
        )

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.before.append(self.look(runner))

    def after_train_iter(self, runner, batch_idx, data_batch=None, **kwargs):
        self.after.append(self.look(runner))


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second))


@pytest.fixture(scope='module')
def spied(pairs, tmp_path_factory):
    """A run of four iterations with clusterings at 0 and 2."""
    work_dir = tmp_path_factory.mktemp('spied')
    spy = Spy()
    runner = train(pairs, work_dir, hooks=[spy])
    return work_dir, spy, runner


class TestWhen:
    def test_at_the_start_of_every_interval_and_not_at_the_end(self, spied):
        work_dir, spy, _ = spied
        assert list(clusterings(work_dir)) == [0, 2]
        assert [seen['iter'] for seen in spy.before] == [0, 1, 2, 3]
        changed = [
            not torch.equal(a['centroids'], b['centroids'])
            for a, b in zip(spy.after, spy.before[1:])
        ]
        assert changed == [False, True, False]

    def test_interval_that_does_not_divide(self, pairs, tmp_path):
        train(pairs, tmp_path / 'run', max_iters=4, interval=3)
        assert list(clusterings(tmp_path / 'run')) == [0, 3]

    def test_interval_longer_than_the_run(self, pairs, tmp_path):
        train(pairs, tmp_path / 'run', max_iters=2, interval=10)
        assert list(clusterings(tmp_path / 'run')) == [0]

    def test_checkpoint_holds_the_head_as_trained(self, pairs, tmp_path):
        """Saved at 3, where a clustering follows."""
        spy = Spy()
        train(pairs, tmp_path / 'run', interval=3, hooks=[spy])
        saved = torch.load(tmp_path / 'run/iter_3.pth')['state_dict']
        weight = saved['decode_head.conv_seg.weight']
        assert torch.equal(weight, spy.after[2]['weight'])
        assert not torch.equal(weight, spy.before[3]['weight'])
        assert torch.equal(
            saved['codebook.centroids'], spy.after[2]['centroids']
        )


class TestWhat:
    def test_teacher_is_the_student_of_the_clustering(self, spied):
        _, spy, _ = spied
        for seen in spy.before:
            expected = spy.before[seen['iter'] // 2 * 2]['student']
            assert same(seen['teacher'], expected)
        assert not same(spy.before[1]['student'], spy.before[1]['teacher'])

    def test_classifiers_are_drawn_anew(self, spied):
        _, spy, _ = spied
        for i in (0, 2):
            assert not spy.before[i]['bias'].any()
            assert 0.005 < float(spy.before[i]['weight'].std()) < 0.015
        assert not torch.equal(
            spy.before[0]['weight'], spy.before[2]['weight']
        )
        assert spy.before[1]['bias'].any()

    def test_student_goes_on_in_training_mode(self, spied):
        assert all(seen['training'] for seen in spied[1].before)

    def test_codebook_is_the_one_in_the_file(self, spied):
        work_dir, _, runner = spied
        codebook = read_codebook(work_dir / 'clustering_iter_2.h5')
        model = runner.model
        assert torch.equal(codebook.centroids, model.codebook.centroids)
        assert torch.equal(codebook.pca_matrix, model.codebook.pca_matrix)
        assert torch.equal(codebook.pca_bias, model.codebook.pca_bias)

    def test_momentum_of_old_classifiers_is_cleared(self, spied):
        _, spy, _ = spied
        before = {seen['iter']: seen for seen in spy.before}
        assert before[0]['momentum'] == 0
        assert before[1]['classifier_momentum'] == [True] * 4
        assert before[2]['classifier_momentum'] == [False] * 4
        assert before[2]['momentum'] == before[1]['momentum'] - 4 > 0
        assert before[3]['classifier_momentum'] == [True] * 4

    def test_momentum_kept_on_request(self, pairs, tmp_path):
        spy = Spy()
        train(
            pairs,
            tmp_path / 'run',
            max_iters=3,
            hook=dict(keep_momentum=True),
            hooks=[spy],
        )
        assert spy.before[2]['classifier_momentum'] == [True] * 4
        assert not spy.before[2]['bias'].any()

    def test_what_is_logged(self, spied):
        lines = [
            line
            for line in scalars(spied[0])
            if any(key.startswith('clustering/') for key in line)
        ]
        assert [line['step'] for line in lines] == [0, 2]
        for line in lines:
            assert {key for key in line if key != 'step'} == {
                f'clustering/{name}'
                for name in (
                    'features',
                    'inertia',
                    'used_clusters',
                    'largest_share',
                    'entropy',
                    'seconds',
                )
            }
            assert line['clustering/used_clusters'] == 6
            assert 1 / 6 <= line['clustering/largest_share'] < 1
            assert 0 < line['clustering/entropy'] <= np.log2(6)
            assert line['clustering/inertia'] > 0
            assert 0 < line['clustering/features'] <= 5 * 500

    def test_no_logged_figure_is_taken_for_a_loss(self, spied):
        for line in scalars(spied[0]):
            for key in line:
                assert 'loss' not in key or '.loss_' in key or key == 'loss'


class TestFeatures:
    def test_naive_features_give_the_same_codebook(self, spied, pairs):
        """Clustering at 2 from the teacher, whose weights are its student's.

        All features of an image are asked for, so no choice is left.
        """
        work_dir = spied[0] / 'naive'
        runner = train(
            pairs,
            work_dir,
            max_iters=1,
            hook=dict(features_per_image=10_000, fraction=1.0),
        )
        model = runner.model
        hook = next(h for h in runner.hooks if isinstance(h, ClusteringHook))
        model.eval()
        rows, count = hook.sample_features(runner, model)
        assert count == 5 and len(rows) == 5
        loader = runner.build_dataloader(
            dict(
                batch_size=1,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                **hook.dataloader,
            )
        )
        for one, batch in zip(rows, loader):
            data = model.data_preprocessor(batch, False)
            with torch.no_grad():
                maps = model.extract_feat(data['inputs'])
                expected = model.decode_head._forward_feature(maps)
            expected = expected[0].flatten(1).T.numpy()
            assert one.shape == expected.shape == (10 * 14, 12)
            np.testing.assert_allclose(
                np.sort(one, 0), np.sort(expected, 0), atol=1e-6
            )

    def test_half_of_them_lie_at_correspondences(self, pairs, tmp_path):
        runner = train(pairs, tmp_path / 'run', max_iters=1)
        hook = next(h for h in runner.hooks if isinstance(h, ClusteringHook))
        model = runner.model.eval()
        hook.fraction, hook.features_per_image = 0.5, 16
        rows, _ = hook.sample_features(runner, model)
        loader = runner.build_dataloader(
            dict(
                batch_size=1,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                **hook.dataloader,
            )
        )
        for one, batch in zip(rows, loader):
            assert one.shape == (16, 12)
            data = model.data_preprocessor(batch, False)
            with torch.no_grad():
                maps = model.extract_feat(data['inputs'])
                features = model.decode_head._forward_feature(maps)[0]
            at_points = {
                tuple(features[:, round(y / 8 + 1e-9), round(x / 8 + 1e-9)]
                      .numpy().round(4))
                for x, y in data['data_samples'][0].points.tolist()
            }  # fmt: skip
            hits = [tuple(row.round(4)) in at_points for row in one]
            assert all(hits[:8])

    def test_same_seed_same_codebook(self, spied, pairs, tmp_path):
        train(pairs, tmp_path / 'again')
        first, second = clusterings(spied[0]), clusterings(tmp_path / 'again')
        assert list(first) == list(second)
        for i in first:
            assert_same_codebook(first[i], second[i])

    def test_another_seed_another_codebook(self, spied, pairs, tmp_path):
        train(pairs, tmp_path / 'other', max_iters=1, randomness=dict(seed=1))
        first = clusterings(spied[0])[0]['cluster_centroids']
        second = clusterings(tmp_path / 'other')[0]['cluster_centroids']
        assert not np.array_equal(first, second)

    def test_too_few_features(self, pairs, tmp_path):
        expected = (
            'Clustering needs at least num_clusters=1000 features, but only '
            '50 were sampled from 5 images. Raise features_per_image or use '
            'more reference images.'
        )
        with pytest.raises(ValueError) as error:
            train(
                pairs,
                tmp_path / 'run',
                model=dict(num_clusters=1000),
                hook=dict(features_per_image=10),
            )
        assert str(error.value) == expected
        assert not clusterings(tmp_path / 'run')

    def test_network_that_diverged(self, pairs, tmp_path):
        with pytest.raises(ValueError, match='lower the learning rate'):
            train(
                pairs,
                tmp_path / 'run',
                optim_wrapper=dict(
                    type='OptimWrapper', optimizer=dict(type='SGD', lr=1e20)
                ),
            )

    def test_thousand_clusters(self, tmp_path):
        root = make_pairs(tmp_path / 'pairs', size=(129, 129), points=40)
        runner = train(
            root,
            tmp_path / 'run',
            max_iters=2,
            model=dict(num_clusters=1000),
            hook=dict(features_per_image=250, fraction=1.0),
        )
        (content,) = clusterings(tmp_path / 'run').values()
        assert content['cluster_centroids'].shape == (1000, 5)
        first = scalars(tmp_path / 'run')[0]
        assert first['clustering/used_clusters'] == 1000
        labels = runner.model.label_maps(torch.randn(2, 3, 97, 129))
        assert labels.max() > 255


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        'kwargs, message',
        [
            (dict(interval=0), '`interval` should be positive, but got 0'),
            (dict(features_per_image=0), '`features_per_image` should be'),
            (dict(kmeans_iterations=-1), '`kmeans_iterations` should be'),
            (dict(fraction=1.2), r'`fraction` should be in \[0, 1\]'),
        ],
    )
    def test_arguments(self, kwargs, message):
        with pytest.raises(ValueError, match=message):
            HOOKS.build(dict(type='ClusteringHook', dataloader={}, **kwargs))

    def test_model_without_clusters(self, pairs, tmp_path):
        config = run_config(pairs, tmp_path / 'run')
        hook = HOOKS.build(config.custom_hooks[0])

        class Other:
            model = torch.nn.Linear(1, 1)

        with pytest.raises(TypeError, match='FGSN, but got Linear'):
            hook.before_train(Other())


def test_number_of_clusterings_is_limited():
    limited = ClusteringHook(dataloader={}, interval=5, num_clusterings=3)
    assert [i for i in range(30) if limited.due(i)] == [0, 5, 10]
    free = ClusteringHook(dataloader={}, interval=5)
    assert [i for i in range(16) if free.due(i)] == [0, 5, 10, 15]
    with pytest.raises(ValueError, match='`num_clusterings` should be'):
        ClusteringHook(dataloader={}, num_clusterings=0)
