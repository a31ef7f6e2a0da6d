import cv2
import numpy as np
import pytest

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.datasets import write_pair_file
from fgsn_mmseg.evaluation import (
    BASELINES,
    Baseline,
    colour_features,
    handmade_features,
    kmeans_baseline,
)


def test_colour_is_lab():
    image = np.zeros((2, 3, 3), np.uint8)
    image[0, 0] = 255
    image[0, 1] = (0, 0, 255)  # BGR: red
    features = colour_features(image)
    assert features.dtype == np.float32
    assert features[0, 0] == pytest.approx([100, 0, 0], abs=0.1)
    assert features[0, 1] == pytest.approx([53.2, 80.1, 67.2], abs=0.3)
    assert features[1, 2].tolist() == [0, 0, 0]


def test_handmade_features_of_a_ramp():
    # Lightness rises by the same amount from each pixel to the next.
    lab = np.zeros((40, 60, 3), np.float32)
    lab[..., 0] = np.arange(60) * 1.5
    image = cv2.cvtColor(lab, cv2.COLOR_Lab2BGR)
    features = handmade_features(np.rint(255 * image).astype(np.uint8), (1, 2))
    assert features.shape == (40, 60, 5)
    assert features[..., :3].mean(axis=(0, 1)) == pytest.approx(
        [0, 0, 0], abs=1e-3
    )
    assert features[20, 30, 3:] == pytest.approx([1.5, 1.5], rel=0.05)


def test_handmade_features_see_texture_but_not_exposure():
    rng = np.random.default_rng(0)
    image = np.full((60, 60, 3), 100, np.uint8)
    image[:, 30:] += rng.integers(0, 60, (60, 30, 1), np.uint8)
    features = handmade_features(image)
    assert features[:, 50:, 3].min() > 10 * features[:, :20, 3].max()
    brighter = handmade_features(image + 40)
    assert brighter[..., 1:3] == pytest.approx(features[..., 1:3], abs=0.5)


@pytest.fixture
def two_seasons(tmp_path):
    """Four quadrants of four colours; the target is shifted by 6 pixels."""
    colours = np.array([[0, 0, 200], [0, 200, 0], [200, 0, 0], [90, 90, 90]])
    rng = np.random.default_rng(0)
    files = []
    for name in ('a', 'b'):
        quadrants = colours[[[0, 1], [2, 3]]].astype(np.uint8)
        image = np.kron(quadrants, np.ones((40, 60, 1), np.uint8))
        paths = {'': f'summer/{name}.png', '2': f'winter/{name}.png'}
        for suffix, shift in (('', 0), ('2', 6)):
            path = tmp_path / 'images' / paths[suffix]
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.roll(image, shift, axis=1))
        points = rng.uniform((5, 5), (100, 74), (200, 2))
        # Off the borders between the quadrants.
        points = points[(np.abs(points - (59.5, 39.5)) > 3).all(axis=1)]
        file = tmp_path / 'correspondence_data' / f'{name}.mat'
        file.parent.mkdir(exist_ok=True)
        write_pair_file(
            str(file),
            {
                'img_path': paths[''],
                'img_path2': paths['2'],
                'points': points,
                'points2': points + (6, 0),
                'dist_from_center': np.zeros(len(points)),
            },
        )
        files.append(str(file))
    return tmp_path, files


def test_same_colours_agree(two_seasons):
    root, files = two_seasons
    rows = kmeans_baseline(
        files[:1],
        files[1:],
        str(root / 'images'),
        BASELINES['colour'],
        num_clusters=(4, 2),
        seeds=(0, 3),
        short_side=40,  # half the size
    )
    assert [(r['num_clusters'], r['seed'], r['group']) for r in rows] == [
        (4, 0, 'all'),
        (4, 3, 'all'),
        (2, 0, 'all'),
        (2, 3, 'all'),
    ]
    for row in rows:
        assert row['agreement'] == 1
        assert row['match_bits'] > 0.5
        assert row['used_clusters'] == row['num_clusters']


def test_same_seed_gives_the_same(two_seasons):
    root, files = two_seasons
    args = (
        files,
        files,
        str(root / 'images'),
        BASELINES['handmade'],
        (5,),
        (1,),
    )
    assert kmeans_baseline(*args) == kmeans_baseline(*args)


def test_groups(two_seasons):
    root, files = two_seasons
    rows = kmeans_baseline(
        files,
        files,
        str(root / 'images'),
        BASELINES['colour'],
        num_clusters=(4,),
        group_by='([^/]*)[.]png',
    )
    assert [row['group'] for row in rows] == ['all', 'a', 'b']


def test_weights_count(two_seasons):
    root, files = two_seasons
    blind = Baseline(colour_features, (0, 0, 0))
    (row,) = kmeans_baseline(
        files, files, str(root / 'images'), blind, num_clusters=(3,)
    )
    assert row['used_clusters'] == 1
    assert row['match_bits'] == 0


def test_missing_image_is_named(two_seasons):
    root, files = two_seasons
    (root / 'images' / 'winter' / 'b.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'winter/b\.png'):
        kmeans_baseline(
            files, files, str(root / 'images'), BASELINES['colour']
        )


def test_real_photos_of_one_church(sacre_coeur):
    train, val = (
        [
            str(sacre_coeur / 'correspondence_data' / name)
            for name in (sacre_coeur / list_file).read_text().split()
        ]
        for list_file in ('corr_train.txt', 'corr_val.txt')
    )
    bits = {}
    for name in ('colour', 'handmade'):
        rows = kmeans_baseline(
            train,
            val,
            str(sacre_coeur / 'images'),
            BASELINES[name],
            num_clusters=(20, 100),
            seeds=range(3),
        )
        for k in (20, 100):
            bits[name, k] = np.mean(
                [r['match_bits'] for r in rows if r['num_clusters'] == k]
            )
    # Colours change with the light; the same without it agree.
    assert bits['colour', 20] < 0.05
    assert bits['colour', 100] < 0.02
    assert 0.12 < bits['handmade', 20] < 0.4
    assert 0.06 < bits['handmade', 100] < 0.2
