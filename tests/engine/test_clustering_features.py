import numpy as np
import pytest
import torch
from tiny_runs import (
    assert_same_codebook,
    clusterings,
    make_pairs,
    scalars,
    train,
)

from fgsn_mmseg.engine import ClusteringHook


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp('pairs'))


@pytest.fixture(scope='module')
def first_run(pairs, tmp_path_factory):
    """Folder of a run of four iterations with clusterings at 0 and 2."""
    work_dir = tmp_path_factory.mktemp('first')
    train(pairs, work_dir)
    return work_dir


def test_features_of_whole_images(pairs, tmp_path):
    """All features of an image are asked for: they come in any order."""
    work_dir = tmp_path / 'run'
    runner = train(
        pairs,
        work_dir,
        max_iters=1,
        hook=dict(features_per_image=10_000, fraction=1.0),
    )
    model = runner.model
    hook = next(h for h in runner.hooks if isinstance(h, ClusteringHook))
    model.eval()
    reservoir, count = hook.gather_features(runner, model)
    rows = np.split(reservoir.features(), 5)
    assert count == 5 and len(rows[0]) == 10 * 14
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
        # A feature is known by its sum: sort the rows by it.
        one, expected = (x[np.argsort(x.sum(1))] for x in (one, expected))
        np.testing.assert_allclose(one, expected, atol=1e-5)


def test_half_of_them_lie_at_correspondences(pairs, tmp_path):
    runner = train(pairs, tmp_path / 'run', max_iters=1)
    hook = next(h for h in runner.hooks if isinstance(h, ClusteringHook))
    model = runner.model.eval()
    hook.fraction, hook.features_per_image = 0.5, 16
    rows = np.split(hook.gather_features(runner, model)[0].features(), 5)
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


def test_same_seed_same_codebook(first_run, pairs, tmp_path):
    train(pairs, tmp_path / 'again')
    first, second = clusterings(first_run), clusterings(tmp_path / 'again')
    assert list(first) == list(second)
    for i in first:
        assert_same_codebook(first[i], second[i])


def test_another_seed_another_codebook(first_run, pairs, tmp_path):
    train(pairs, tmp_path / 'other', max_iters=1, randomness=dict(seed=1))
    first = clusterings(first_run)[0]['cluster_centroids']
    second = clusterings(tmp_path / 'other')[0]['cluster_centroids']
    assert not np.array_equal(first, second)


def test_too_few_features(pairs, tmp_path):
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


def test_network_that_diverged(pairs, tmp_path):
    with pytest.raises(ValueError, match='lower the learning rate'):
        train(
            pairs,
            tmp_path / 'run',
            optim_wrapper=dict(
                type='OptimWrapper', optimizer=dict(type='SGD', lr=1e20)
            ),
        )


def test_thousand_clusters(tmp_path):
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
