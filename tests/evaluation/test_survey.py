"""Labels of a whole set: the same as those of validation, at any size."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
import torch
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmseg.apis import inference_model
from pair_worlds import make_world
from tiny_fgsn import build_model, teach

from fgsn_mmseg.datasets import CorrespondenceDataset
from fgsn_mmseg.evaluation import (
    CorrespondenceMetric,
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
from fgsn_mmseg.geometry import unresize_points
from fgsn_mmseg.inference import BlendedMap

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


TEST_PIPELINE = [
    dict(type='LoadImagePair'),
    dict(type='ResizePair', short_side=48),
    dict(type='PackSegInputs'),
]


def with_pipeline(model):
    """As `init_model` leaves a network behind."""
    model.cfg = Config(dict(test_pipeline=TEST_PIPELINE))
    return model.eval()


@pytest.fixture
def model():
    return with_pipeline(teach(build_model()))


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


def test_label_map_against_mmseg(model, pairs, tmp_path):
    """In the network's size it is what mmseg predicts for the image."""
    data = model.data_preprocessor(pseudo_collate([pairs[1]]), False)
    image = data['inputs']['img2']
    logits = torch.nn.functional.interpolate(
        model.student_maps(image).logits,
        image.shape[-2:],
        mode='bilinear',
        align_corners=True,
    )
    survey = survey_labels(model, pairs, map_dir=tmp_path / 'maps')
    path = survey.pairs[1].img_path2
    assert survey.label_maps[path].shape == (50, 64)
    # The original has 50 rows, the input 48: compare where pixels meet.
    labels = logits[0].argmax(0).numpy()
    rows = ((np.arange(50) + 0.5) * 48 / 50).astype(int)
    columns = ((np.arange(64) + 0.5) * labels.shape[1] / 64).astype(int)
    same = labels[rows[:, None], columns] == survey.label_maps[path]
    assert same.mean() > 0.9
    assert len(survey.label_maps) == 5  # each image once


def test_label_maps_are_predictions_at_the_size_of_the_file(
    model, pairs, tmp_path
):
    survey = survey_labels(model, pairs, map_dir=tmp_path / 'maps')
    for path, label_map in survey.label_maps.items():
        predicted = inference_model(model, path).pred_sem_seg.data[0]
        np.testing.assert_array_equal(label_map, predicted)
    # Labels at pixels' centres are those of the map, whoever gives them.
    path = survey.pairs[1].img_path2
    ys, xs = np.mgrid[:50, :64]
    pixels = np.stack([xs, ys], -1).reshape(-1, 2)
    for who in ('student', 'teacher'):
        labels = NetworkLabeller(model, who)(path)
        label_map = labels.label_map()
        assert len(np.unique(label_map)) > 1
        same = labels.at(pixels).reshape(50, 64) == label_map
        # align_corners: the last pixels differ by a part of a cell.
        assert same.mean() > 0.95


def test_stationary_counts_are_of_every_nth_reference(model, pairs):
    survey = survey_labels(model, pairs, every=2)
    expected = np.zeros((2, model.num_clusters))
    for index in (0, 2):
        pair = read_pairs(pairs)[index]
        labels = inference_model(model, pair['img_path']).pred_sem_seg.data[0]
        expected += count_at_points(labels, pair['points'], 6)
    np.testing.assert_array_equal(survey.at_points, expected[0])
    np.testing.assert_array_equal(survey.elsewhere, expected[1])
    # In pixels of the file, not of the network's input (48 x 72).
    assert expected.sum() == 2 * labels.numel() == 2 * 40 * 60


def test_stationary_clusters_do_not_depend_on_the_network_size():
    """The same labels, seen in the file and at a tenth of its size.

    Two clusters of 300 x 100 pixels in the file with a match on every 200th
    pixel of the left one: 0.5 %, not stationary. Counted on the network's 60
    x 10 pixels the same matches are on half of its pixels.
    """
    columns = torch.arange(60) < 30
    logits = torch.stack([columns, ~columns]).float()[None, :, None]
    maps = BlendedMap(logits.expand(1, 2, 10, 60), (10, 60), False)
    ys, xs = np.mgrid[5:100:10, 5:300:20]
    points = np.stack([xs, ys], -1).reshape(-1, 2)
    pairs = [dict(img_path='a.png', points=points)]

    def labeller(path, size=(100, 600)):
        return ImageLabels(maps, size, (10, 60))

    counts = count_references(labeller, pairs, 2)
    assert counts[0].tolist() == [150, 0]
    assert counts[1].tolist() == [30000 - 150, 30000]
    assert stationary_clusters(*counts) == []
    assert stationary_clusters(*counts, threshold=0.004) == [0]
    small = [dict(img_path='a.png', points=unresize_points(points, 10))]
    counts = count_references(lambda p: labeller(p, (10, 60)), small, 2)
    assert counts[0].tolist() == [150, 0] and counts[1].tolist() == [150, 300]


def test_maps_of_one_image_are_held_at_a_time(model, pairs, tmp_path):
    labeller = NetworkLabeller(model)
    alive: list = []

    def watched(path):
        assert not any(reference() is not None for reference in alive)
        image = labeller(path)
        alive.append(weakref.ref(image.maps.data))
        return image

    found = label_pairs(watched, read_pairs(pairs))
    assert len(alive) == 5 and alive[-1]() is None
    assert len(found) == 3
    count_references(watched, read_pairs(pairs), model.num_clusters)
    survey = survey_labels(model, pairs, map_dir=tmp_path / 'maps')
    # On disk, not in memory.
    assert len(list((tmp_path / 'maps').glob('*.png'))) == 5
    assert not any(
        isinstance(value, np.ndarray)
        for value in vars(survey.label_maps).values()
    )


@pytest.mark.gpu
def test_labels_of_a_gpu(model, pairs, tmp_path):
    expected = survey_labels(model, pairs, 'teacher')
    found = survey_labels(model.cuda(), pairs, 'teacher', tmp_path / 'maps')
    same = found.pooled()[0] == expected.pooled()[0]
    assert same.mean() > 0.95


def test_who_and_a_missing_teacher(pairs):
    model = with_pipeline(build_model())
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
            (2, 3),
            (1, 3),
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
