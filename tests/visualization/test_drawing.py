import numpy as np
import pytest

from fgsn_mmseg.visualization import (
    blend_label_map,
    cluster_palette,
    colour_label_map,
    draw_pair,
)
from fgsn_mmseg.visualization.drawing import (
    AGREE,
    DISAGREE,
    UNKNOWN,
    agreement_colours,
    caption_bar,
    outline,
    spread_over,
)


def test_colours_against_a_naive_loop():
    palette = cluster_palette(300)
    label_map = np.random.default_rng(0).integers(-1, 300, (7, 11))
    label_map[0, :3] = (255, 299, 65535)
    drawn = colour_label_map(label_map, palette)
    for row in range(7):
        for column in range(11):
            label = label_map[row, column]
            known = 0 <= label < 300
            expected = palette[label] if known else (0, 0, 0)
            assert (drawn[row, column] == expected).all()


def test_16_bit_maps_and_ten_thousand_clusters():
    palette = cluster_palette(10_000)
    label_map = np.array([[9999, 65535, 256]], np.uint16)
    drawn = colour_label_map(label_map, palette)
    assert drawn[0].tolist() == [
        palette[9999].tolist(),
        [0, 0, 0],
        palette[256].tolist(),
    ]


def test_blend_by_hand():
    image = np.full((2, 4, 3), 100, np.uint8)
    palette = np.array([[200, 0, 50]], np.uint8)
    drawn = blend_label_map(image, np.zeros((2, 4), int), palette, 0.25)
    assert (drawn == (125, 75, 88)).all()


def test_smaller_map_is_resized_by_nearest():
    image = np.zeros((4, 6, 3), np.uint8)
    palette = np.array([[10, 0, 0], [20, 0, 0]], np.uint8)
    drawn = blend_label_map(image, np.array([[0, 1], [1, 0]]), palette, 1.0)
    assert drawn[..., 0].tolist() == [
        [10, 10, 10, 20, 20, 20],
        [10, 10, 10, 20, 20, 20],
        [20, 20, 20, 10, 10, 10],
        [20, 20, 20, 10, 10, 10],
    ]


def test_colours_of_agreement():
    assert agreement_colours(np.array([True, False]), 2).tolist() == [
        list(AGREE),
        list(DISAGREE),
    ]
    assert agreement_colours(None, 1).tolist() == [list(UNKNOWN)]


@pytest.mark.parametrize('number', [0, 1, 5, 40, 99, 100])
def test_chosen_points_are_different_and_spread(number):
    points = np.random.default_rng(0).uniform(0, 50, (99, 2))
    chosen = spread_over(points, number)
    assert len(chosen) == len(set(chosen.tolist())) == min(number, 99)
    if number == 40:
        quadrants = (points[chosen] > 25) @ (1, 2)
        assert (np.bincount(quadrants, minlength=4) >= 5).all()


def test_long_caption_fits():
    short = caption_bar(['agreement'], 400, 20)
    long = caption_bar(['a very long path/' * 20], 400, 20)
    assert short.shape == long.shape == (20, 400, 3)
    assert (long[:, -3:] == long[0, 0]).all()
    assert (long != long[0, 0]).any()


def draw(**kwargs):
    images = (
        np.full((60, 90, 3), 128, np.uint8),
        np.full((100, 50, 3), 128, np.uint8),
    )
    points = (
        np.array([[30.0, 20], [60, 40]]),
        np.array([[25.0, 25], [40, 75]]),
    )
    return draw_pair(images, points, cluster_palette(5), height=200, **kwargs)


def test_picture_of_a_pair():
    agree = np.array([True, False])
    picture = draw(agree=agree, max_lines=0)
    # 300 + gap + 100 wide: both are brought to one height.
    assert picture.shape == (200, 406, 3)
    for (x, y), colour in (
        ((101, 68), AGREE),
        ((201, 135), DISAGREE),
        ((306 + 50, 50), AGREE),
        ((306 + 80, 150), DISAGREE),
    ):
        assert picture[y, x].tolist() == list(colour)
    assert picture[68, 115].tolist() == [128, 128, 128]


def test_lines_join_the_two_points():
    plain, lined = draw(max_lines=0), draw(max_lines=2)
    # The middle between (101.5, 68) and (306 + 51, 51.5).
    assert (plain[60, 229] == 128).all()
    middle = lined[57:63, 229].reshape(-1, 3).astype(int)
    assert (np.abs(middle - UNKNOWN).sum(axis=1) < 120).any()


def test_label_maps_are_a_second_row_and_captions_above():
    maps = (np.zeros((6, 9), int), np.full((10, 5), 4))
    picture = draw(label_maps=maps, alpha=1.0, caption=['one', 'two'])
    assert picture.shape == (2 * 12 + 200 + 6 + 200, 406, 3)
    palette = cluster_palette(5)
    assert (picture[-1, 0] == palette[0]).all()
    assert (picture[-1, -1] == palette[4]).all()


def test_edges_are_where_the_photo_changes():
    photo = np.full((40, 60, 3), 30, np.uint8)
    photo[:, 20:] = 220
    drawn = outline(photo)
    black = (drawn == 0).all(axis=2)
    columns = np.flatnonzero(black[20])
    assert len(columns) and (np.abs(columns - 19.5) < 2).all()
    assert (drawn[~black] == 255).all()


def test_edges_instead_of_photos():
    """Of a grey photo nothing is left but what is laid over it."""
    points = np.full((0, 2), 0.0)
    photo = np.full((50, 80, 3), 90, np.uint8)
    photo[20:30, 20:60] = 200
    call = dict(
        images=(photo, photo),
        points=(points, points),
        palette=np.array([[0, 100, 200]], np.uint8),
        height=50,
        edges=True,
    )
    bare = draw_pair(**call)
    assert set(np.unique(bare[:, :80])) == {0, 255}
    labelled = draw_pair(**call, label_maps=[np.zeros((5, 8), int)] * 2)
    assert labelled.shape == bare.shape
    # 0.4 of white or of black, 0.6 of the label's colour.
    assert {*map(tuple, labelled[:, :80].reshape(-1, 3).tolist())} == {
        (102, 162, 222),
        (0, 60, 120),
    }


def test_no_and_one_correspondence():
    images = [np.zeros((20, 30, 3), np.uint8)] * 2
    for number in (0, 1):
        points = np.full((number, 2), 10.0)
        picture = draw_pair(
            images,
            (points, points),
            cluster_palette(2),
            agree=np.zeros(number, bool),
            height=40,
        )
        assert picture.shape == (40, 126, 3)
        assert picture[..., 0].any() == (number == 1) or number == 0
