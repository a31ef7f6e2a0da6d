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
    assert metrics == expected
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
    assert len(metrics) == 13


def test_without_teacher_its_figures_are_left_out():
    assert set(evaluate([make_sample([1], [1])])) == {
        'agreement',
        'chance',
        'match_bits',
        'mutual_information',
        'used_clusters',
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
    assert set(result) == {'num_clusters', 'labels', 'labels2'}


def test_padding_of_the_last_batch_is_dropped():
    metric = CorrespondenceMetric()
    for sample in [make_sample([1], [1]), make_sample([1], [2])]:
        metric.process(None, [sample.to_dict()])
    first = metric.evaluate(2)
    assert first['agreement'] == 0.5
    assert metric.results == []
