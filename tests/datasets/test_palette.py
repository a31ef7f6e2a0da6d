import cv2
import numpy as np
import pytest

from fgsn_mmseg.visualization import cluster_palette


def to_lab(palette):
    return cv2.cvtColor(
        palette[None].astype(np.float32) / 255, cv2.COLOR_RGB2Lab
    )[0]


@pytest.mark.parametrize('num_clusters', [1, 2, 20, 255, 1000, 65535])
def test_all_colours_differ_and_none_is_black(num_clusters):
    palette = cluster_palette(num_clusters)
    assert palette.shape == (num_clusters, 3)
    assert palette.dtype == np.uint8
    assert len(np.unique(palette, axis=0)) == num_clusters
    assert palette.max(axis=1).min() > 60


@pytest.mark.parametrize('num_clusters, floor', [(20, 35), (100, 15)])
def test_colours_look_different(num_clusters, floor):
    lab = to_lab(cluster_palette(num_clusters))
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert distance.min() > floor


def test_neighbours_are_far_apart():
    lab = to_lab(cluster_palette(65535))
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    assert steps.min() > 5
    assert np.median(steps) > 60


def test_colour_of_an_id_does_not_depend_on_the_number():
    long = cluster_palette(20_000)
    for number in (1, 7, 300, 5000):
        assert (cluster_palette(number) == long[:number]).all()


def test_seed_gives_another_palette():
    assert (cluster_palette(9) == cluster_palette(9, seed=0)).all()
    assert (cluster_palette(9) != cluster_palette(9, seed=1)).any()


@pytest.mark.parametrize('number', [0, 65536])
def test_range_is_checked(number):
    with pytest.raises(ValueError, match=f'but got {number}'):
        cluster_palette(number)
