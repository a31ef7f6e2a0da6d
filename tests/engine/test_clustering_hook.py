import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmseg.registry import HOOKS
from tiny_runs import (
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


def values(module):
    state = sorted(module.state_dict().items())
    return [value.clone() for _, value in state]


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
            student=values(model.backbone),
            teacher=values(model.teacher.backbone),
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

        with pytest.raises(TypeError, match='but got Linear without') as error:
            hook.before_train(Other())
        assert 'set_codebook' in str(error.value)
        assert '\n' not in str(error.value)


def test_number_of_clusterings_is_limited():
    limited = ClusteringHook(dataloader={}, interval=5, num_clusterings=3)
    assert [i for i in range(30) if limited.due(i)] == [0, 5, 10]
    free = ClusteringHook(dataloader={}, interval=5)
    assert [i for i in range(16) if free.due(i)] == [0, 5, 10, 15]
    with pytest.raises(ValueError, match='`num_clusterings` should be'):
        ClusteringHook(dataloader={}, num_clusterings=0)
