import numpy as np
import pytest
import torch
import torch.nn.functional as F
from naive_geometry import naive_bilinear, naive_cell

from fgsn_mmseg.geometry import (
    GRIDS,
    at_cells,
    at_points,
    cell_positions,
    cells_at,
    crop_start,
    crop_to_image,
    flip_points,
    inside_image,
    match_cells,
    nearest_cells,
    nearest_pixels,
    pixel_cells,
    resample_labels,
    resize_points,
    resize_scale,
    resized_size,
    to_cells,
    to_map,
    unresize_points,
)

CROP, MAP = (97, 129), (13, 17)  # H, W and h, w: not square


def one(x, y, *args):
    cells, inside = to_cells(torch.tensor([[x, y]]), *args)
    return cells[0].tolist(), bool(inside[0])


@pytest.mark.parametrize(
    'x, cell',
    [
        (0.0, 0),
        (3.999, 0),
        (4.0, 1),  # 4 * 89 / 712 = 0.5 exactly: half up
        (11.999, 1),
        (12.0, 2),
        (356.0, 45),  # 44.5
        (708.0, 89),  # 88.5
        (712.0, 89),  # the last pixel is the last cell
        (715.9, 89),
        (716.0, 90),  # 89.5: outside
        (-3.9, 0),
        (-4.0, 0),  # -0.5: half up
        (-4.1, -1),
        (-11.0, -1),  # not truncated towards zero
    ],
)
def test_corners(x, cell):
    (found, _), inside = one(x, 0.0, (713, 713), (90, 90), 'corners')
    assert found == cell
    assert inside == (0 <= cell < 90)


@pytest.mark.parametrize(
    'x, cell',
    [
        (0.0, 0),
        (7.49, 0),
        (7.5, 1),  # (7.5 + 0.5) / 8 - 0.5 = 0.5
        (7.0, 0),
        (8.0, 1),
        (119.49, 14),
        (120.0, 15),
        (127.49, 15),
        (127.5, 16),
        (-0.5, 0),  # the image's border
        (-0.51, -1),
        (-8.0, -1),
    ],
)
def test_centers(x, cell):
    (found, _), inside = one(x, 0.0, (64, 128), (8, 16), 'centers')
    assert found == cell
    assert inside == (0 <= cell < 16)


@pytest.mark.parametrize(
    'x, cell',
    [
        (0.0, 0),
        (3.0, 0),
        (4.0, 1),  # 0.505
        (709.0, 89),
        (710.0, 90),  # the last three pixels fall outside
        (712.0, 90),
        (-3.0, 0),
        (-4.0, -1),
        (-11.0, -1),
    ],
)
def test_authors(x, cell):
    (found, _), inside = one(x, 0.0, (713, 713), (90, 90), 'authors')
    assert found == cell
    assert inside == (0 <= cell < 90)


@pytest.mark.parametrize(
    'x, cell',
    [
        # round(3.6) = 4 and 4 * 90 / 713 = 0.505; 3.6 * 90 / 713 = 0.454
        (3.6, 1),
        (3.5, 1),  # half up
        (3.4, 0),
        (11.4, 1),  # 11 * 90 / 713 = 1.39
        (709.4, 89),
        (709.6, 90),  # 710 is outside
        (-3.6, -1),
        (-3.4, 0),
    ],
)
def test_authors_round_points_to_whole_pixels_first(x, cell):
    (found, _), _ = one(x, 0.0, (713, 713), (90, 90), 'authors')
    assert found == cell


def test_authors_tie():
    assert one(1.0, 3.0, (8, 8), (4, 4), 'authors') == ([1, 2], True)


@pytest.mark.parametrize('grid', GRIDS)
def test_against_naive_on_maps_that_are_not_square(grid):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(300, 2, generator=generator) * 180 - 25
    points[::3] = points[::3].round()
    cells, inside = to_cells(points, CROP, MAP, grid)
    assert cells.dtype == torch.int64 and inside.dtype == torch.bool
    assert inside.any() and not inside.all()
    for (x, y), found, is_inside in zip(points.tolist(), cells, inside):
        expected = [
            naive_cell(x, CROP[1], MAP[1], grid),
            naive_cell(y, CROP[0], MAP[0], grid),
        ]
        assert found.tolist() == expected
        assert is_inside == (
            0 <= expected[0] < MAP[1] and 0 <= expected[1] < MAP[0]
        )


def test_x_and_y_are_not_mixed_up():
    # The last pixel of a wide image is inside, of a high one it is not.
    assert one(128.0, 96.0, CROP, MAP, 'corners') == ([16, 12], True)
    assert one(96.0, 128.0, CROP, MAP, 'corners') == ([12, 16], False)


@pytest.mark.parametrize('grid', GRIDS)
def test_no_points(grid):
    cells, inside = to_cells(torch.zeros(0, 2), CROP, MAP, grid)
    assert cells.shape == (0, 2) and inside.shape == (0,)


def test_map_of_one_cell():
    for grid in GRIDS:
        assert one(3.0, 0.0, (1, 9), (1, 1), grid) == ([0, 0], True)


def test_float32_points_are_not_rounded_before_the_tie():
    # In float32 the product would already be off.
    points = torch.tensor([[100004.0, 0.0]])
    mapped = to_map(points, (2, 800_033), (2, 100_005), 'corners')
    assert mapped[0, 0] == 100004 * 100004 / 800_032


def test_unknown_grid():
    with pytest.raises(ValueError, match=r"should be one of .* but got 'x'"):
        to_cells(torch.zeros(1, 2), CROP, MAP, 'x')


def test_match_cells_keeps_what_is_inside_both():
    points = torch.tensor([[0.0, 0.0], [8.0, 16.0], [128.0, 8.0], [8.0, 8.0]])
    points2 = torch.tensor(
        [[0.0, 200.0], [16.0, 8.0], [0.0, 96.0], [-30.0, 8.0]]
    )
    cells, cells2, kept = match_cells(points, points2, CROP, MAP, 'corners')
    assert kept.tolist() == [False, True, True, False]
    assert cells.tolist() == [[1, 2], [16, 1]]
    assert cells2.tolist() == [[2, 1], [0, 12]]


def test_match_cells_of_images_of_two_sizes():
    points = torch.tensor([[8.0, 8.0]])
    points2 = torch.tensor([[150.0, 150.0]])
    _, cells2, kept = match_cells(
        points, points2, CROP, MAP, 'corners', (161, 161), (21, 21)
    )
    assert kept.all() and cells2.tolist() == [[19, 19]]


def test_at_cells():
    maps = torch.arange(2 * 3 * 5).view(2, 3, 5)
    cells = torch.tensor([[4, 0], [1, 2], [4, 0]])
    assert at_cells(maps, cells).tolist() == [[4, 19], [11, 26], [4, 19]]
    assert at_cells(maps[0], cells).tolist() == [4, 11, 4]


@pytest.mark.parametrize('grid', GRIDS)
def test_at_points_against_naive(grid):
    generator = torch.Generator().manual_seed(1)
    maps = torch.rand(4, *MAP, generator=generator)
    points = torch.rand(50, 2, generator=generator) * 140 - 5
    values = at_points(maps, points, CROP, grid)
    mapped = to_map(points, CROP, MAP, grid)
    for value, (x, y) in zip(values, mapped.tolist()):
        torch.testing.assert_close(
            value, naive_bilinear(maps, x, y), atol=1e-5, rtol=0
        )


def test_at_points_on_the_cells_themselves():
    maps = torch.rand(3, *MAP)
    points = torch.tensor([[8.0 * x, 8.0 * y] for x in (0, 16) for y in (12,)])
    values = at_points(maps, points, CROP, 'corners')
    torch.testing.assert_close(values, maps[:, 12, [0, 16]].T)


def test_resample_labels():
    labels = torch.tensor([[[0, 1, 2], [3, 4, 5]]])
    found = resample_labels(labels, (2, 5), 'corners')
    assert found.tolist() == [[[0, 1, 1, 2, 2], [3, 4, 4, 5, 5]]]
    found = resample_labels(labels, (4, 6), 'centers')
    assert found[0, :, 0].tolist() == [0, 0, 3, 3]
    assert found[0, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert resample_labels(labels, (2, 3), 'corners') is labels


@pytest.mark.parametrize('grid', ['corners', 'centers'])
def test_resample_agrees_with_to_cells(grid):
    """A fine cell gets the label of the coarse cell below its centre."""
    labels = torch.arange(5 * 7).view(1, 5, 7)
    fine = resample_labels(labels, (13, 22), grid)[0]
    for y in range(13):
        for x in range(22):
            point = torch.tensor([[float(x), float(y)]])
            cells, _ = to_cells(point, (13, 22), (5, 7), grid)
            assert fine[y, x] == at_cells(labels[0], cells)[0]


def test_positions_by_hand():
    assert cell_positions(3, 17, 'corners').tolist() == [0, 8, 16]
    assert cell_positions(2, 16, 'centers').tolist() == [3.5, 11.5]
    assert cell_positions(1, 16, 'corners').tolist() == [0]
    assert cell_positions(2, 16, 'authors').tolist() == [0, 8]
    at = torch.tensor([-4.0, 0, 4, 16, 20])
    assert cells_at(at, 3, 17, 'corners').tolist() == [-0.5, 0, 0.5, 2, 2.5]
    at = torch.tensor([-0.5, 3.5, 7.5, 15])
    found = cells_at(at, 2, 16, 'centers').tolist()
    assert found == [-0.5, 0, 0.5, 1.4375]
    assert cells_at(at, 2, 16, 'authors').tolist() == [0, 0.5, 1, 1.875]


@pytest.mark.parametrize('grid', ['corners', 'centers'])
@pytest.mark.parametrize(('cells', 'extent'), [(9, 65), (5, 12), (7, 3)])
def test_cells_are_found_where_they_are(cells, extent, grid):
    at = cell_positions(cells, extent, grid)
    found = cells_at(at, cells, extent, grid)
    torch.testing.assert_close(found, torch.arange(cells).double())


def test_nearest_cells():
    assert nearest_cells(3, 5, 'corners').tolist() == [0, 1, 1, 2, 2]
    assert nearest_cells(2, 6, 'centers').tolist() == [0, 0, 0, 1, 1, 1]
    # The other way round, as cv2 and F.interpolate have it "exact".
    assert nearest_cells(6, 2, 'centers').tolist() == [1, 4]


def sample(values, at):
    """Linear interpolation of a 1-D map."""
    low = at.long().clamp(max=max(len(values) - 2, 0))
    high = (low + 1).clamp(max=len(values) - 1)
    return values[low].lerp(values[high], at - low)


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize(('cells', 'size'), [(9, 65), (5, 12), (7, 3), (1, 4)])
def test_pixels_lie_where_interpolate_looks(cells, size, align_corners):
    values = torch.rand(cells, dtype=torch.float64)
    expected = F.interpolate(
        values[None, None], size, mode='linear', align_corners=align_corners
    )[0, 0]
    found = sample(values, pixel_cells(cells, size, align_corners))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('align_corners', [True, False])
def test_padding_flip_and_resize_compose(align_corners):
    """A linear map of 33 pixels, 5 in front and 7 behind are padding."""
    cells, extent, start, length = 5, 33, 5, 21
    grid = 'corners' if align_corners else 'centers'
    values = cell_positions(cells, extent, grid)
    for size in (21, 40, 13):
        at = pixel_cells(
            cells, extent, align_corners, length, start, size, flip=True
        )
        image = torch.arange(start, start + length).double().flip(0)
        expected = F.interpolate(
            image[None, None],
            size,
            mode='linear',
            align_corners=align_corners,
        )[0, 0]
        torch.testing.assert_close(sample(values, at), expected)
        at = pixel_cells(
            cells, extent, align_corners, length, start, size, 'nearest', True
        )
        expected = F.interpolate(image[None, None], size)[0, 0]
        torch.testing.assert_close(sample(values, at), expected)


def test_wrong_parts_are_refused():
    with pytest.raises(ValueError, match='should be a part of the 33 pixels'):
        pixel_cells(5, 33, True, length=30, start=5)
    with pytest.raises(ValueError, match='`mode` should be'):
        pixel_cells(5, 33, True, mode='cubic')


def test_points_follow_a_resize():
    # 4 x 3 pixels to 8 x 9: the image's border stays its border.
    scale = resize_scale((3, 4), (9, 8))
    assert scale.tolist() == [2, 3]
    points = np.array([[-0.5, -0.5], [3.5, 2.5], [1.0, 1.0]], np.float32)
    moved = resize_points(points, scale)
    assert moved.dtype == np.float64
    assert moved.tolist() == [[-0.5, -0.5], [7.5, 8.5], [2.5, 4]]
    np.testing.assert_allclose(unresize_points(moved, scale), points)
    assert resize_points(points, 0.5).tolist() == [
        [-0.5, -0.5],
        [1.5, 1],
        [0.25, 0.25],
    ]


def test_points_follow_a_flip():
    points = np.array([[0.0, 5.0], [-0.5, 1.0], [6.25, 2.0]], np.float32)
    flipped = flip_points(points, 8)
    assert flipped.tolist() == [[7, 5], [7.5, 1], [0.75, 2]]
    assert flipped.dtype == np.float32


def test_nearest_pixels_and_inside():
    points = np.array(
        [[-0.51, 0], [-0.5, -0.5], [0.5, 1.49], [3.49, 2.49], [3.5, 0]]
    )
    assert nearest_pixels(points).tolist() == [
        [-1, 0],
        [0, 0],
        [1, 1],
        [3, 2],
        [4, 0],
    ]
    inside = [False, True, True, True, False]
    assert inside_image(points, (3, 4)).tolist() == inside
    assert inside_image(points, (3, 4, 3)).tolist() == inside
    assert not inside_image(np.array([[np.nan, 0]]), (3, 4)).any()


def test_resized_size():
    # 467 * 143 / 311 = 214.73
    assert resized_size((311, 467), 143) == (143, 215)
    assert resized_size((467, 311, 3), 143) == (215, 143)
    assert resized_size((1, 1000), 3) == (3, 3000)
    assert resized_size((1000, 1000), 1) == (1, 1)


@pytest.mark.parametrize(
    ('length', 'crop', 'point', 'start'),
    [
        (20, 6, 10.4, 7),  # pixel 10 comes to 3
        (20, 6, 10.5, 8),  # half up
        (20, 6, 1, 0),  # as far as the image reaches
        (20, 6, 19, 14),
        (20, 20, 3, 0),
        (4, 7, 0, -1),  # 3 pixels of padding: 1 before, 2 behind
        (4, 7, 3, -1),
    ],
)
def test_crop_start(length, crop, point, start):
    assert crop_start(length, crop, point, 0.99) == start


def test_crop_start_without_a_point():
    starts = [crop_start(9, 7, None, draw) for draw in (0, 0.3, 0.4, 0.999)]
    assert starts == [0, 0, 1, 2]
    assert crop_start(4, 7, None, 0.999) == -1


def test_crop_to_image_is_the_inverse_of_resize_and_crop():
    scale, start = np.array([2.5, 0.75]), (7, -3)  # y, x
    points = np.array([[10.25, 20.5], [0, 0], [-0.5, 3]])
    cropped = resize_points(points, scale) - (start[1], start[0])
    matrix = crop_to_image(start, scale)
    assert matrix.shape == (2, 3)
    back = cropped @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, points, atol=1e-12)


def test_points_are_scaled_about_pixel_corners():
    # The centre of a 2 x 2 block is between its pixels.
    scaled = resize_points(np.array([[0, 0], [1, 2]]), (2, 3))
    assert scaled.tolist() == [[0.5, 1], [2.5, 7]]
