from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from fgsn_mmseg.geometry import cell_positions, cells_at, pixel_cells


def test_positions_by_hand():
    assert cell_positions(3, 17, True).tolist() == [0, 8, 16]
    assert cell_positions(2, 16, False).tolist() == [3.5, 11.5]
    assert cell_positions(1, 16, True).tolist() == [0]
    at = torch.tensor([-3.0, 0, 4, 16, 20])
    assert cells_at(at, 3, 17, True).tolist() == [0, 0, 0.5, 2, 2]
    at = torch.tensor([0.0, 3.5, 7.5, 15])
    assert cells_at(at, 2, 16, False).tolist() == [0, 0, 0.5, 1]


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize(('cells', 'extent'), [(9, 65), (5, 12), (7, 3)])
def test_cells_are_found_where_they_are(cells, extent, align_corners):
    at = cell_positions(cells, extent, align_corners)
    found = cells_at(at, cells, extent, align_corners)
    torch.testing.assert_close(found, torch.arange(cells).double())


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
    values = cell_positions(cells, extent, align_corners)
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
