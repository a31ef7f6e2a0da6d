"""Labels of a whole set: the same as those of validation, at any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from pair_worlds import make_world
from tiny_fgsn import build_model, teach

from fgsn_mmseg.datasets import CorrespondenceDataset
from fgsn_mmseg.evaluation import (
    CorrespondenceMetric,
    agreement_figures,
    count_at_points,
)
from fgsn_mmseg.evaluation.labelling import (
    ImageLabels,
    NetworkLabeller,
    label_pairs,
    read_pairs,
)
from fgsn_mmseg.evaluation.stationary import (
    count_references,
    stationary_clusters,
)
from fgsn_mmseg.evaluation.survey import (
    PairLabels,
    Survey,
    read_survey,
    survey_labels,
    write_survey,
)
from fgsn_mmseg.evaluation.survey_figures import (
    class_figures,
    class_table,
    majority_classes,
    survey_figures,
)

PIPELINE = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(type='ResizePair', short_side=48),
    dict(type='PackPairInputs'),
]
PAIRS = [
    ('a.mat', 's/summer/0.png', 's/night/0.png'),
    ('b.mat', 's/summer/0.png', 's/rain/0.png'),
    ('c.mat', 's/summer/1.png', 's/rain/1.png'),
]


@pytest.fixture
def pairs(tmp_path):
    root = tmp_path / 'pairs'
    make_world(root, PAIRS, sizes={'s/rain/0.png': (50, 64)})
    return CorrespondenceDataset(data_root=str(root), pipeline=PIPELINE)


@pytest.fixture
def model():
    return teach(build_model()).eval()


@pytest.mark.parametrize('who', ['student', 'teacher'])
def test_figures_are_those_of_validation(model, pairs, who):
    metric = CorrespondenceMetric(group_by=r'([^/]*)/[^/]*$')
    for index in range(len(pairs)):
        samples = model.val_step(pseudo_collate([pairs[index]]))
        metric.process(None, [sample.to_dict() for sample in samples])
    wanted = metric.evaluate(len(pairs))
    found = survey_labels(model, pairs, who)
    prefix = 'teacher_' if who == 'teacher' else ''
    for name, value in found.figures().items():
        assert value == pytest.approx(wanted[prefix + name]), name
    rain = found.figures([False, True, True])
    for name in ('agreement', 'chance', 'match_bits'):
        assert rain[name] == pytest.approx(wanted[f'{prefix}{name}/rain'])


def test_points_come_back_in_pixels_of_the_original(model, pairs):
    survey = survey_labels(model, pairs)
    raw = CorrespondenceDataset(
        data_root=pairs.data_root, pipeline=PIPELINE[:1]
    )
    for index, pair in enumerate(survey.pairs):
        np.testing.assert_allclose(
            pair.points, raw[index]['points'], atol=1e-3
        )
        np.testing.assert_allclose(
            pair.points2, raw[index]['points2'], atol=1e-3
        )


def test_label_map_against_mmseg(model, pairs):
    """In the network's size it is what mmseg predicts for the image."""
    data = model.data_preprocessor(pseudo_collate([pairs[1]]), False)
    image = data['inputs']['img2']
    logits = torch.nn.functional.interpolate(
        model.student_maps(image).logits,
        image.shape[-2:],
        mode='bilinear',
        align_corners=True,
    )
    survey = survey_labels(model, pairs)
    path = survey.pairs[1].img_path2
    assert survey.label_maps[path].shape == (50, 64)
    # The original has 50 rows, the input 48: compare where pixels meet.
    labels = logits[0].argmax(0).numpy()
    rows = ((np.arange(50) + 0.5) * 48 / 50).astype(int)
    columns = ((np.arange(64) + 0.5) * labels.shape[1] / 64).astype(int)
    same = labels[rows[:, None], columns] == survey.label_maps[path]
    assert same.mean() > 0.9
    assert len(survey.label_maps) == 5  # each image once


def test_stationary_counts_are_of_every_nth_reference(model, pairs):
    survey = survey_labels(model, pairs, every=2)
    expected = np.zeros((2, model.num_clusters))
    for index in (0, 2):
        data = model.data_preprocessor(pseudo_collate([pairs[index]]), False)
        image = data['inputs']['img']
        logits = torch.nn.functional.interpolate(
            model.student_maps(image).logits,
            image.shape[-2:],
            mode='bilinear',
            align_corners=True,
        )
        expected += count_at_points(
            logits[0].argmax(0), data['data_samples'][0].points, 6
        )
    np.testing.assert_allclose(survey.at_points, expected[0], atol=1)
    np.testing.assert_allclose(survey.elsewhere, expected[1], atol=8)
    assert survey.at_points.sum() == expected[0].sum()


def test_who_and_a_missing_teacher(pairs):
    model = build_model().eval()
    with pytest.raises(ValueError, match='`who` should be'):
        survey_labels(model, pairs, 'pupil')
    with pytest.raises(ValueError, match='should have a teacher'):
        survey_labels(model, pairs, 'teacher')


@pytest.fixture
def small(tmp_path):
    """Two images, two pairs, written by hand."""
    maps = {
        'r/x/0.png': np.array([[0, 0, 1], [2, 2, 1]], np.uint16),
        'r/y/0.png': np.array([[0, 300, 300]], np.uint16),
    }
    points = np.array([[0.0, 0.0], [2.0, 1.0]])
    pairs = [
        PairLabels(
            'r/x/0.png',
            f'r/{name}/0.png',
            points,
            points[:, ::-1].copy(),
            np.array([0, 1]),
            np.array(second),
        )
        for name, second in (('y', [0, 2]), ('z', [0, 1]))
    ]
    at_points, elsewhere = np.zeros((2, 301))
    at_points[:2], elsewhere[:3] = (1, 1), (1, 1, 2)
    return Survey(301, pairs, maps, at_points, elsewhere)


def test_a_file_gives_back_what_it_was_given(small, tmp_path):
    path = tmp_path / 'deep' / 'labels.npz'
    write_survey(path, small)
    back = read_survey(path)
    assert back.num_clusters == 301
    assert back.stationary() == small.stationary() == [0, 1]
    for name, label_map in small.label_maps.items():
        np.testing.assert_array_equal(back.label_maps[name], label_map)
    for one, two in zip(back.pairs, small.pairs):
        assert (one.img_path, one.img_path2) == (two.img_path, two.img_path2)
        for key in ('points', 'points2', 'labels', 'labels2'):
            np.testing.assert_array_equal(getattr(one, key), getattr(two, key))
    with pytest.raises(FileNotFoundError, match='file of a survey'):
        read_survey(tmp_path / 'none.npz')


def test_figures_by_hand(small, tmp_path):
    """Classes: 0 sky (lower case by name), 1 road; 255 has none."""
    for name, classes in (
        ('x', [[0, 0, 1], [1, 0, 255]]),
        ('y', [[0, 1, 1]]),
    ):
        cv2.imwrite(str(tmp_path / f'{name}.png'), np.array(classes, np.uint8))
    table = class_table(
        small, lambda path: tmp_path / f'{path.split("/")[1]}.png', 2
    )
    assert table.shape == (301, 2)
    assert table[[0, 1, 2, 300]].tolist() == [[3, 0], [0, 1], [1, 1], [0, 2]]
    names = ['sky', 'road']
    majority = majority_classes(table, names)
    assert [majority[k] for k in (0, 1, 2, 3, 300)] == [
        *('sky', 'road', 'sky', 'nothing', 'road')
    ]
    assert class_figures(table)['purity'] == pytest.approx(7 / 8)
    figures = survey_figures(
        small, lambda p: p.img_path2[2], table, names, ('sky', 'road')
    )
    assert figures['groups']['y']['agreement'] == 0.5
    assert figures['groups']['z']['agreement'] == 1.0
    assert figures['groups']['all'] == agreement_figures(
        [0, 1, 0, 1], [0, 2, 0, 1], 301
    )
    assert figures['used_clusters'] == 4
    assert figures['stationary'] == 0.5
    # Clusters 0 and 2 are sky, 2 is not stationary; 1 and 300 are road.
    assert figures['moving'] == {'sky': [2, 1], 'road': [2, 1]}


def test_a_missing_class_map_is_named(small, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.png'):
        class_table(small, lambda path: tmp_path / 'none.png')
