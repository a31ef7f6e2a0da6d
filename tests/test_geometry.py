import pytest
import torch
from naive_geometry import naive_bilinear, naive_cell

from fgsn_mmseg.geometry import (
    GRIDS,
    at_cells,
    at_points,
    match_cells,
    resample_labels,
    to_cells,
    to_map,
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
