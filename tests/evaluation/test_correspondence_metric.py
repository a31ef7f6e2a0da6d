import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.evaluation import (
    CorrespondenceMetric,
    agreement_figures,
    read_label_map,
)


def make_sample(labels, labels2, teacher=None, losses=None, **metainfo):
    sample = SegDataSample(metainfo=dict(num_clusters=300, **metainfo))
    sample.labels = torch.tensor(labels, dtype=torch.int64)
    sample.labels2 = torch.tensor(labels2, dtype=torch.int64)
    sample.pred_sem_seg = PixelData(data=torch.zeros(1, 3, 5).long())
    if teacher is not None:
        sample.teacher_labels = torch.tensor(teacher[0])
        sample.teacher_labels2 = torch.tensor(teacher[1])
    for name, value in zip(('cluster', 'feat', 'out'), losses or ()):
        sample.set_field(torch.tensor(value), f'val_loss_{name}')
    return sample


def evaluate(samples, **kwargs):
    evaluator = Evaluator(
        METRICS.build(dict(type='CorrespondenceMetric', **kwargs))
    )
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


def test_is_registered():
    assert METRICS.get('CorrespondenceMetric') is CorrespondenceMetric


def test_pools_the_correspondences_of_all_pairs():
    metrics = evaluate(
        [make_sample([0, 1, 255], [0, 1, 254]), make_sample([2], [2])]
    )
    expected = agreement_figures([0, 1, 255, 2], [0, 1, 254, 2], 300)
    hard = {'match_bits_hard': 0, 'chance_hard': 0}  # there are no points
    assert metrics == {**expected, **hard}
    assert next(iter(metrics)) == 'match_bits'
    assert metrics['agreement'] == 0.75
    assert metrics['used_clusters'] == 5


def test_teacher_and_losses():
    metrics = evaluate(
        [
            make_sample([0, 1], [0, 2], ([3, 4], [3, 4]), (1.0, 2.0, 3.0)),
            make_sample([], [], ([], []), (0.0, 0.0, 0.0)),
            make_sample([5], [5], ([6], [7]), (2.0, 4.0, 8.0)),
        ]
    )
    assert metrics['agreement'] == metrics['teacher_agreement'] == 2 / 3
    assert metrics['teacher_chance'] == pytest.approx(2 / 9)
    assert metrics['teacher_used_clusters'] == 4
    assert metrics['teacher_match_bits'] > 0
    assert 'teacher_mutual_information' in metrics
    # The pair without correspondences does not count.
    assert metrics['val_loss_cluster'] == 1.5
    assert metrics['val_loss_feat'] == 3
    assert metrics['val_loss_out'] == 5.5


def test_no_correspondence_at_all_gives_zeros():
    metrics = evaluate([make_sample([], [], ([], []), (0.0, 0.0, 0.0))] * 2)
    assert set(metrics.values()) == {0}
    assert len(metrics) == 2 * 9 + 3


def test_without_teacher_its_figures_are_left_out():
    assert set(evaluate([make_sample([1], [1])])) == {
        'agreement',
        'chance',
        'match_bits',
        'mutual_information',
        'used_clusters',
        'used_clusters_tenth',
        'entropy',
        'match_bits_hard',
        'chance_hard',
    }


def test_groups_are_rows():
    teacher = ([1, 1], [1, 2])
    samples = [
        make_sample([0, 1], [0, 1], teacher, img_path2='im/snow/a.jpg'),
        make_sample([0, 1], [0, 2], teacher, img_path2='im/night/b.jpg'),
        make_sample([3, 1], [0, 2], teacher, img_path2='im\\snow\\c.jpg'),
        make_sample([3, 1], [0, 2], teacher, img_path2='d.jpg'),
    ]
    metrics = evaluate(samples, group_by='im/([^/]*)/')
    assert metrics['agreement/snow'] == 0.5
    assert metrics['agreement/night'] == 0.5
    assert metrics['agreement/other'] == 0
    assert metrics['chance/night'] == 0.25
    assert metrics['match_bits/night'] > 0
    assert metrics['teacher_agreement/snow'] == 0.5
    assert metrics['agreement'] == 3 / 8
    assert not any(k.startswith('used_clusters/') for k in metrics)


def test_group_by_needs_one_group():
    with pytest.raises(ValueError, match='exactly one group'):
        CorrespondenceMetric(group_by='a/b')


def test_results_are_small_arrays():
    metric = CorrespondenceMetric()
    metric.process(None, [make_sample([1, 2], [3, 4]).to_dict()])
    (result,) = metric.results
    assert isinstance(result['labels'], np.ndarray)
    assert result['labels'].nbytes == 8
    assert set(result) == {'num_clusters', 'labels', 'labels2', 'hard'}


def test_padding_of_the_last_batch_is_dropped():
    metric = CorrespondenceMetric()
    for sample in [make_sample([1], [1]), make_sample([1], [2])]:
        metric.process(None, [sample.to_dict()])
    first = metric.evaluate(2)
    assert first['agreement'] == 0.5
    assert metric.results == []


def place(sample, points, points2):
    """Give a sample points in images of 100 x 200 and 300 x 400 pixels."""
    sample.set_metainfo(dict(img_shape=(100, 200), img_shape2=(300, 400)))
    sample.set_field(torch.tensor(points).float(), 'points')
    sample.set_field(torch.tensor(points2).float(), 'points2')
    return sample


def test_hard_figures_of_student_and_teacher():
    # The first two lie side by side in both images, the third far below.
    points = [[10, 10], [60, 12], [10, 90]]
    points2 = [[20, 30], [90, 44], [20, 250]]
    one = place(
        make_sample([1, 2, 1], [1, 2, 1], ([1, 1, 3], [1, 1, 3])),
        points,
        points2,
    )
    other = place(make_sample([1], [1], ([1], [1])), [[1, 1]], [[1, 1]])
    metrics = evaluate([one, other])
    # Two matches have a wrong one: equal for the teacher alone.
    assert metrics['chance_hard'] == 0
    assert metrics['match_bits_hard'] == 1  # a chance of 0 counts as 1/2
    assert metrics['teacher_chance_hard'] == 1
    assert metrics['teacher_match_bits_hard'] == 0


def test_dead_network_is_named(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'fgsn_mmseg.evaluation.correspondence_metric.print_log',
        lambda text, **kwargs: lines.append(text),
    )
    evaluate([make_sample([7, 7], [7, 7]), make_sample([7], [7])])
    nan = float('nan')
    evaluate([make_sample([0, 0], [0, 0], ([3, 4], [3, 4]), (nan, nan, 0.0))])
    evaluate([make_sample([7, 7], [7, 6]), make_sample([7], [7])])
    evaluate([make_sample([7], [7])])
    assert len(lines) == 2
    assert 'have the label 7. Lower the learning rate' in lines[0]
    assert 'have the label 0 and losses are NaN. Lower' in lines[1]


def test_label_maps_of_both_images(tmp_path):
    """What ``tools/test.py --out`` asks for."""
    sample = make_sample([1], [1], img_path='im/a.jpg', img_path2='im/b.jpg')
    maps = [torch.arange(15).view(1, 3, 5) + 250, torch.full((1, 4, 2), 299)]
    sample.pred_sem_seg = PixelData(data=maps[0])
    sample.pred_sem_seg2 = PixelData(data=maps[1])
    folder = tmp_path / 'maps'
    metrics = evaluate([sample] * 2, output_dir=str(folder), keep_results=True)
    assert metrics['agreement'] == 1
    for name, expected in zip(('a', 'b'), maps):
        found = read_label_map(str(folder / f'{name}.png'))
        np.testing.assert_array_equal(found, expected[0].numpy())
    assert len(list(folder.iterdir())) == 2


def test_label_maps_of_one_name(tmp_path):
    sample = make_sample([1], [1], img_path='im/a.jpg', img_path2='snow/a.jpg')
    sample.pred_sem_seg2 = sample.pred_sem_seg
    with pytest.raises(ValueError, match='`img_root` should keep'):
        evaluate([sample], output_dir=str(tmp_path))
