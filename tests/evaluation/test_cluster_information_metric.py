import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.evaluation import (
    ClusterInformationMetric,
    majority_vote_iou,
    normalized_mutual_information,
    purity,
    read_label_map,
)


def make_sample(labels, classes, name='a.jpg'):
    sample = SegDataSample(
        metainfo={'img_path': f'images/{name}', 'num_clusters': 300}
    )
    sample.pred_sem_seg = PixelData(data=torch.tensor(labels)[None])
    sample.gt_sem_seg = PixelData(data=torch.tensor(classes)[None])
    return sample.to_dict()


def make_metric(num_classes=3, **kwargs):
    metric = METRICS.build({'type': 'ClusterInformationMetric', **kwargs})
    metric.dataset_meta = {'classes': ('road', 'sky', 'car')[:num_classes]}
    return metric


def test_figures_over_two_images(monkeypatch):
    rng = np.random.default_rng(0)
    labels = rng.integers(250, 300, (2, 9, 14))
    classes = rng.integers(0, 2, (2, 9, 14))
    classes[:, 0] = 255
    metric = make_metric()
    for i in range(2):
        metric.process(None, [make_sample(labels[i], classes[i])])

    table = np.zeros((300, 3), int)
    for label, kind in zip(labels.ravel(), classes.ravel()):
        if kind != 255:
            table[label, kind] += 1
    metrics = metric.evaluate(2)
    assert metrics['NMI'] == pytest.approx(
        normalized_mutual_information(table)
    )
    assert metrics['purity'] == purity(table)
    # The car is in no image: left out of the mean, not counted as 0.
    assert metrics['mIoU'] == pytest.approx(
        100 * majority_vote_iou(table)[:2].mean()
    )
    assert metrics['seen_clusters'] == (table.sum(1) > 0).sum()


def test_table_of_classes_is_logged(monkeypatch):
    messages = []
    monkeypatch.setattr(
        'fgsn_mmseg.evaluation.cluster_information_metric.print_log',
        lambda message, **kwargs: messages.append(message),
    )
    metric = make_metric()
    metric.process(None, [make_sample([[7, 7, 8, 9]], [[0, 0, 1, 1]])])
    metric.evaluate(1)
    (message,) = messages
    assert '3 of 300' in message
    lines = {
        line.split('|')[1].strip(): line
        for line in message.split('\n')
        if line.startswith('|')
    }
    assert '100.0' in lines['sky']
    assert '2' in lines['sky'].split('|')[3]
    assert 'nan' in lines['car']


def test_network_that_does_not_tell_its_clusters(monkeypatch):
    """A plain EncoderDecoder: no "of unknown"."""
    messages = []
    monkeypatch.setattr(
        'fgsn_mmseg.evaluation.cluster_information_metric.print_log',
        lambda message, **kwargs: messages.append(message),
    )
    metric = make_metric()
    sample = make_sample([[7, 7, 8, 9]], [[0, 0, 1, 1]])
    del sample['num_clusters']
    metric.process(None, [sample])
    metric.evaluate(1)
    assert messages[0].startswith('Clusters seen: 3; after')


def test_single_row_and_no_annotated_pixel():
    metric = make_metric()
    metric.process(None, [make_sample([[1, 2, 3]], [[255, 255, 255]])])
    assert metric.evaluate(1) == {
        'NMI': 0,
        'purity': 0,
        'mIoU': 0,
        'seen_clusters': 0,
    }


def test_results_stay_small_for_ten_thousand_clusters():
    metric = ClusterInformationMetric()
    metric.dataset_meta = {'classes': ['x'] * 19}
    rng = np.random.default_rng(0)
    metric.process(
        None,
        [
            make_sample(
                rng.integers(0, 10_000, (20, 30)),
                rng.integers(0, 19, (20, 30)),
            )
        ],
    )
    codes, counts, _ = metric.results[0]
    assert len(codes) == len(counts) <= 600


def test_maps_are_written_for_the_out_flag(tmp_path):
    metric = make_metric(
        output_dir=str(tmp_path), img_root='images', keep_results=True
    )
    metric.process(
        None, [make_sample([[299, 255]], [[0, 1]], 'CMU/slice/a.jpg')]
    )
    metric.evaluate(1)
    written = read_label_map(str(tmp_path / 'CMU' / 'slice' / 'a.png'))
    assert written.tolist() == [[299, 255]]


def test_errors_name_the_file():
    metric = make_metric(num_classes=2)
    with pytest.raises(ValueError, match=r'train ids\. File: images/a\.jpg'):
        metric.process(None, [make_sample([[1]], [[2]])])
    metric.dataset_meta = {}
    with pytest.raises(ValueError, match='`classes` should be'):
        metric.process(None, [make_sample([[1]], [[0]])])
