"""Validation of a pair against loops over its correspondences."""

import math

import pytest
import torch
from naive_geometry import naive_bilinear, naive_matches
from tiny_fgsn import build_model, teach

from fgsn_mmseg.geometry import to_map
from fgsn_mmseg.models.pair_figures import (
    feature_distance,
    output_divergence,
)
from fgsn_mmseg.structures import PairDataSample

SIZES = (97, 129), (113, 81)  # two images, neither square
MAPS = (13, 17), (15, 11)


def validation_pair(count=20, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = {
        key: 2 * torch.rand(1, 3, *size, generator=generator) - 1
        for key, size in zip(('img', 'img2'), SIZES)
    }
    sample = PairDataSample()
    for key, (height, width) in zip(('points', 'points2'), SIZES):
        size = torch.tensor([width - 1.0, height - 1.0])
        points = torch.rand(count, 2, generator=generator) * size
        setattr(sample, key, points)
    sample.point_weights = torch.rand(count, generator=generator)
    return inputs, sample


@pytest.fixture(params=[True, False])
def predicted(request):
    """A model, a pair, its prediction, and the maps that it is made of."""
    model = teach(build_model(align_corners=request.param)).eval()
    inputs, sample = validation_pair()
    with torch.no_grad():
        (result,) = model.predict(inputs, [sample])
        maps = []
        for image in inputs.values():
            stages = model.extract_feat(image)
            maps.append(
                dict(
                    features=model.decode_head._forward_feature(stages)[0],
                    logits=model.decode_head(stages)[0],
                    teacher=model.teacher(image)[0],
                )
            )
    return model, inputs, result, maps


def naive_label(codebook, feature):
    row = feature.double() @ codebook.pca_matrix.double()
    row = row + codebook.pca_bias.double()
    distances = (codebook.centroids.double() - row / row.norm()).square()
    return int(distances.sum(1).argmin())


def test_labels_at_sub_pixel_points(predicted):
    model, _, result, maps = predicted
    for i, suffix in enumerate(('', '2')):
        cells = to_map(
            result.get(f'points{suffix}'), SIZES[i], MAPS[i], model.grid
        )
        labels = result.get(f'labels{suffix}')
        taught = result.get(f'teacher_labels{suffix}')
        assert labels.dtype == taught.dtype == torch.int64
        assert labels.shape == taught.shape == (20,)
        for (x, y), label, by_teacher in zip(cells.tolist(), labels, taught):
            logits = naive_bilinear(maps[i]['logits'], x, y)
            assert label == logits.argmax()
            feature = naive_bilinear(maps[i]['teacher'], x, y)
            assert by_teacher == naive_label(model.codebook, feature)


def test_label_maps(predicted):
    model, _, result, maps = predicted
    for i, suffix in enumerate(('', '2')):
        labels = result.get(f'pred_sem_seg{suffix}').data
        assert labels.dtype == torch.int64 and labels.shape == (1, *MAPS[i])
        assert torch.equal(labels[0], maps[i]['logits'].argmax(0))
    assert result.metainfo['num_clusters'] == model.num_clusters


def test_figures(predicted):
    model, _, result, maps = predicted
    matches, indices = naive_matches(
        result.points, result.points2, SIZES, MAPS, model.grid
    )
    assert len(matches) > 15
    cluster, distance, divergence = [0.0, 0.0], 0.0, 0.0
    for ((x, y), (x2, y2)), index in zip(matches, indices):
        feature = maps[0]['teacher'][:, y, x]
        label = naive_label(model.codebook, feature)
        both = maps[0]['logits'][:, y, x], maps[1]['logits'][:, y2, x2]
        for side, logits in enumerate(both):
            cluster[side] -= float(logits.log_softmax(0)[label])
        f, g = maps[0]['features'][:, y, x], maps[1]['features'][:, y2, x2]
        squared = min(float(((f - g) ** 2).sum()), 0.64 * 12)
        distance += float(result.point_weights[index]) * squared
        p, q = (logits.double().softmax(0) for logits in both)
        divergence += float((p * (p / q).log()).sum())
    count = len(matches)
    for name, value in (
        ('val_loss_cluster', sum(cluster) / count),
        ('val_loss_feat', distance / count),
        ('val_loss_out', divergence / count),
    ):
        figure = result.get(name)
        assert figure.ndim == 0
        assert float(figure) == pytest.approx(value, rel=1e-3, abs=1e-6)


def test_same_in_every_run(predicted):
    model, inputs, result, _ = predicted
    torch.manual_seed(5)
    with torch.no_grad():
        (again,) = model.predict(inputs, [validation_pair()[1]])
    for key in ('val_loss_cluster', 'val_loss_feat', 'val_loss_out'):
        assert torch.equal(again.get(key), result.get(key))
    assert torch.equal(again.labels, result.labels)


@pytest.mark.parametrize('count', [0, 1])
def test_few_correspondences(count):
    model = teach(build_model()).eval()
    inputs, sample = validation_pair(count)
    with torch.no_grad():
        (result,) = model.predict(inputs, [sample])
    for key in ('labels', 'labels2', 'teacher_labels', 'teacher_labels2'):
        assert result.get(key).shape == (count,)
    for key in ('val_loss_cluster', 'val_loss_feat', 'val_loss_out'):
        value = result.get(key)
        assert value.isfinite() and (count > 0 or value == 0)


def test_without_a_teacher():
    inputs, sample = validation_pair()
    with torch.no_grad():
        (result,) = build_model().eval().predict(inputs, [sample])
    assert result.labels.shape == (20,)
    assert 'teacher_labels' not in result and 'val_loss_cluster' not in result


def test_several_pairs():
    model = teach(build_model()).eval()
    pairs = [validation_pair(count, seed=count) for count in (3, 8)]
    inputs = {
        key: torch.cat([pair[0][key] for pair in pairs])
        for key in ('img', 'img2')
    }
    with torch.no_grad():
        together = model.predict(inputs, [pair[1] for pair in pairs])
        for found, (one, _), count in zip(together, pairs, (3, 8)):
            sample = validation_pair(count, seed=count)[1]
            (alone,) = model.predict(one, [sample])
            assert torch.equal(found.labels, alone.labels)
            assert torch.equal(found.val_loss_out, alone.val_loss_out)


def test_images_larger_than_the_window():
    """One window equals the whole image; several cover all of it."""
    whole = teach(build_model()).eval()
    inputs, sample = validation_pair()
    results = []
    for window in ((137, 137), (57, 57)):
        stride = tuple(2 * side // 3 for side in window)
        config = dict(mode='slide', crop_size=window, stride=stride)
        model = build_model(test_cfg=config).eval()
        model.load_state_dict(whole.state_dict())
        with torch.no_grad():
            (result,) = model.predict(inputs, [sample.clone()])
        results.append(result)
    with torch.no_grad():
        (expected,) = whole.predict(inputs, [sample])
    assert torch.equal(results[0].labels, expected.labels)
    assert torch.equal(results[0].val_loss_out, expected.val_loss_out)
    data = results[1].pred_sem_seg.data
    assert data.shape[-2] >= 13 and data.shape[-1] >= 17
    assert results[1].val_loss_cluster.isfinite()


def test_feature_distance_by_hand():
    features = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    features2 = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    # Squared 1 and 9, at most 0.64 * 2; weights 0.5 and 1.
    found = feature_distance(features, features2, torch.tensor([0.5, 1.0]))
    assert float(found) == pytest.approx((0.5 * 1 + 1.28) / 2)
    assert feature_distance(features[:0], features2[:0], torch.ones(0)) == 0


def test_output_divergence_by_hand():
    logits = torch.tensor([[math.log(3), 0.0]])  # 3/4, 1/4
    logits2 = torch.tensor([[0.0, 0.0]])
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert float(output_divergence(logits, logits2)) == pytest.approx(expected)
    assert output_divergence(logits[:0], logits2[:0]) == 0
