"""Options of the ClusteringHook that depart from the paper."""

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from tiny_fgsn import model_config
from tiny_runs import (
    assert_same_state,
    clusterings,
    make_pairs,
    make_runner,
    scalars,
    train,
)

from fgsn_mmseg.clustering import learned_whitening
from fgsn_mmseg.engine import ClusteringHook
from fgsn_mmseg.engine.new_labels import forget, keep_rows, rows_of_clusters
from fgsn_mmseg.engine.pair_sampling import drawn_pairs
from fgsn_mmseg.geometry import at_cells, match_cells, resample_labels

OPTIONS = dict(
    pair_means=dict(hook=dict(whitening='correspondences', pair_means=True)),
    fitted=dict(hook=dict(classifier='fitted')),
    kept=dict(hook=dict(classifier='kept', whitening='correspondences')),
    # Full, and so in use, from the second iteration of a stage on.
    balance=dict(
        model=dict(balance=dict(type='SinkhornBalance', queue=40, rows=20)),
        interval=3,
    ),
    momentum=dict(model=dict(teacher_momentum=0.1), interval=3),
    losses=dict(
        model=dict(
            decode_head={
                **model_config().decode_head,
                'loss_decode': dict(type='PriorCorrectedLoss', momentum=0.5),
            },
            loss_corr=[
                dict(type='CorrespondenceLoss'),
                dict(type='ConsistencyLoss'),
                dict(type='MeanEntropyLoss', loss_weight=0.1),
            ],
            loss_feat=dict(type='PrototypeContrastiveLoss'),
        ),
        interval=3,
    ),
)

SMALL_STEPS = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9),
)


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp('pairs'))


class Look(Hook):
    """What the model is like right after a clustering."""

    priority = 'LOW'

    def __init__(self):
        self.seen = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        model, state = runner.model, runner.optim_wrapper.optimizer.state
        weight = model.decode_head.conv_seg.weight
        momentum = state.get(weight, {}).get('momentum_buffer')
        self.seen[runner.iter] = dict(
            weight=weight.detach().clone(),
            bias=model.decode_head.conv_seg.bias.detach().clone(),
            momentum=None if momentum is None else momentum.clone(),
            model=model,
        )


@pytest.mark.parametrize('option', OPTIONS)
def test_resumed_run_is_the_same(pairs, tmp_path, option):
    """Saved before, at and after the second clustering, and gone on."""
    default_hooks = dict(
        logger=dict(type='LoggerHook', interval=1),
        checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1),
    )
    kwargs = dict(
        OPTIONS[option], default_hooks=default_hooks, optim_wrapper=SMALL_STEPS
    )
    second = kwargs.get('interval', 2)
    whole = train(pairs, tmp_path / 'run', **kwargs)
    files = clusterings(tmp_path / 'run')
    assert list(files) == [0, second]
    for start in (2, 3):
        again = train(
            pairs,
            tmp_path / f'from_{start}',
            load_from=str(tmp_path / f'run/iter_{start}.pth'),
            resume=True,
            **kwargs,
        )
        assert_same_state(again.model.state_dict(), whole.model.state_dict())
    found = clusterings(tmp_path / 'from_2')
    for name, value in found[second].items():
        np.testing.assert_array_equal(value, files[second][name])


class TestLearnedWhitening:
    @pytest.fixture(scope='class')
    def run(self, pairs, tmp_path_factory):
        work_dir = tmp_path_factory.mktemp('learned')
        runner = train(
            pairs,
            work_dir,
            max_iters=1,
            hook=dict(
                whitening='correspondences',
                regularization=0.1,
                num_pairs=3,
                features_per_image=10_000,
                fraction=1.0,
            ),
            optim_wrapper=dict(
                type='OptimWrapper', optimizer=dict(type='SGD', lr=0.0)
            ),
        )
        return runner, work_dir

    def test_is_that_of_the_training_pairs(self, run):
        """By hand, from the crops that the hook drew."""
        runner, work_dir = run
        model = runner.model.eval()
        hook = next(h for h in runner.hooks if isinstance(h, ClusteringHook))
        first, second, numbers = [], [], []
        for number, data in drawn_pairs(runner, model, 3, (0, 0)):
            numbers.append(number)
            (sample,) = data['data_samples']
            with torch.no_grad():
                maps = [
                    model.student_maps(data['inputs'][key]).features[0]
                    for key in ('img', 'img2')
                ]
            size = data['inputs']['img'].shape[-2:]
            cells, cells2, _ = match_cells(
                sample.points, sample.points2, size, maps[0].shape[-2:],
                'corners',
            )  # fmt: skip
            first.append(at_cells(maps[0], cells))
            second.append(at_cells(maps[1], cells2))
        assert numbers == [0, 1, 2]
        sides = torch.cat(first), torch.cat(second)
        assert 10 < len(sides[0]) <= 3 * 30
        features = hook.gather_features(runner, model)[0].features()
        matrix, bias = learned_whitening(
            torch.from_numpy(features), sides, 5, 0.1
        )
        (file,) = clusterings(work_dir).values()
        np.testing.assert_allclose(
            file['pca_transform_Amat'], matrix, rtol=1e-3, atol=1e-5
        )
        np.testing.assert_allclose(
            file['pca_transform_bvec'], bias, rtol=1e-3, atol=1e-4
        )

    def test_pairs_are_thinned_out(self, run):
        runner, _ = run
        hook = next(h for h in runner.hooks if isinstance(h, ClusteringHook))
        hook.features_per_image = 8
        try:
            rows = hook.gather_pairs(runner, runner.model.eval()).features()
        finally:
            hook.features_per_image = 10_000
        assert rows.shape == (3 * 4, 2 * 12)


class TestFitted:
    def test_classifiers_know_their_labels(self, pairs, tmp_path):
        """Both heads, before the first step, on the crops of training."""
        runner = make_runner(
            pairs,
            tmp_path / 'run',
            max_iters=1,
            hook=dict(classifier='fitted'),
        )
        right = {}

        class Ask(Hook):
            priority = 'LOW'

            def before_train_iter(self, runner, batch_idx, data_batch=None):
                model = runner.model.eval()
                drawn = drawn_pairs(runner, model, 5, (0, 0))
                for _, data in drawn:
                    image = data['inputs']['img']
                    labels = model.label_maps(image)
                    with torch.no_grad():
                        maps = model.run_heads(image)
                    for name, one in maps.items():
                        wanted = resample_labels(
                            labels, one.logits.shape[-2:], 'corners'
                        )
                        hits = (one.logits.argmax(1) == wanted).flatten()
                        right.setdefault(name, []).append(hits)
                model.train()

        runner.register_hook(Ask())
        runner.train()
        right = {k: torch.cat(v).float().mean() for k, v in right.items()}
        assert set(right) == {'decode', 'aux'}
        # The main classifier sees the very features; the other one its own.
        assert right['decode'] > 0.97
        assert right['aux'] > 0.5

    def test_drawn_ones_know_nothing(self, pairs, tmp_path):
        look = Look()
        train(pairs, tmp_path / 'run', max_iters=1, hooks=[look])
        assert float(look.seen[0]['weight'].std()) < 0.02


class TestKept:
    @pytest.fixture(scope='class')
    def run(self, pairs, tmp_path_factory):
        look, work_dir = Look(), tmp_path_factory.mktemp('kept')
        train(
            pairs,
            work_dir,
            max_iters=3,
            hook=dict(classifier='kept'),
            hooks=[look],
            optim_wrapper=SMALL_STEPS,
        )
        return look, work_dir

    def test_rows_and_momentum_of_labels_that_go_on(self, run):
        look, work_dir = run
        line = [x for x in scalars(work_dir) if 'clustering/features' in x]
        assert 'clustering/kept_clusters' not in line[0]
        count = line[1]['clustering/kept_clusters']
        assert 0 < count <= 6
        # Of the labels that went on neither was touched by the clustering:
        # momentum is there, and it is zero where a row was drawn anew.
        momentum = look.seen[2]['momentum'].flatten(1).abs().sum(1)
        assert int((momentum > 0).sum()) == count

    def test_first_clustering_draws_all(self, run):
        assert not run[0].seen[0]['bias'].any()
        assert run[0].seen[0]['momentum'] is None


def test_rows_are_put_back():
    layer = torch.nn.Conv2d(4, 6, 1)
    other = torch.nn.Linear(6, 5)
    layer.other = other
    before = rows_of_clusters(layer, 6)
    old = layer.weight.detach().clone()
    with torch.no_grad():
        layer.weight.fill_(7)
        other.weight.fill_(7)
    kept = torch.tensor([True, False, True, False, False, True])
    keep_rows([layer.weight, other.weight], before, kept)
    assert torch.equal(layer.weight[kept], old[kept])
    assert (layer.weight[~kept] == 7).all() and (other.weight == 7).all()


def test_momentum_of_rows_is_forgotten():
    layer = torch.nn.Linear(4, 6)

    class Wrapper:
        optimizer = torch.optim.Adam(layer.parameters())

    layer(torch.ones(2, 4)).square().sum().backward()
    Wrapper.optimizer.step()
    old = Wrapper.optimizer.state[layer.weight]['exp_avg'].clone()
    kept = torch.tensor([True, False, True, False, False, True])
    forget(Wrapper, [layer.weight], False, kept)
    state = Wrapper.optimizer.state[layer.weight]
    assert torch.equal(state['exp_avg'][kept], old[kept])
    assert not state['exp_avg'][~kept].any()
    assert not state['exp_avg_sq'][~kept].any()
    assert state['step'] == 1 and layer.weight.grad is None
    forget(Wrapper, [layer.weight], False)
    assert layer.weight not in Wrapper.optimizer.state


@pytest.mark.parametrize(
    'kwargs, expected',
    [
        (dict(whitening='zca'), r"`whitening` should be one of.*'zca'"),
        (dict(classifier='new'), r"`classifier` should be one of.*'new'"),
        (dict(pair_means=True), '`whitening` should be'),
        (dict(num_pairs=0), '`num_pairs` should be positive'),
    ],
)
def test_options_that_cannot_be(kwargs, expected):
    with pytest.raises(ValueError, match=expected):
        ClusteringHook(dataloader={}, **kwargs)


def test_what_an_option_asks_of_a_model_is_checked_first(pairs, tmp_path):
    runner = make_runner(
        pairs, tmp_path / 'run', hook=dict(classifier='fitted')
    )
    hook = next(h for h in runner.hooks if isinstance(h, ClusteringHook))

    class Plain:
        """All that a clustering needs, and no classifiers to fit."""

        num_clusters = pca_dim = grid = has_labels = data_preprocessor = None
        clustering_features = set_codebook = redraw_classifiers = None

    runner.model = Plain()
    with pytest.raises(TypeError, match='without linear_classifiers'):
        hook.before_train(runner)
