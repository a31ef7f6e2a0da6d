from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from fgsn_mmseg.geometry import cell_positions, grid_of
from fgsn_mmseg.inference import blend_windows, linear_ramp, whole

PITCH = 8


class CoordinateNetwork:
    """Gives the pixel positions of its cells, read off the image.

    The image holds y in channel 0 and x in channel 1, so that the first pixel
    of a window says where the window lies.
    """

    def __init__(self, align_corners: bool) -> None:
        self.align_corners = align_corners
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, image):
        self.sizes.append(tuple(image.shape))
        ys, xs = (
            cell_positions(
                (length - 1) // PITCH + 1
                if self.align_corners
                else max(length // PITCH, 1),
                length,
                grid_of(self.align_corners),
            )
            for length in image.shape[-2:]
        )
        shape = (len(image), len(ys), len(xs))
        y = image[:, 0, :1, :1] + ys[:, None]
        x = image[:, 1, :1, :1] + xs
        return torch.stack([y.expand(shape), x.expand(shape)], 1).float()


def coordinates(height, width, batch=1):
    y, x = torch.meshgrid(
        torch.arange(height).float(),
        torch.arange(width).float(),
        indexing='ij',
    )
    return torch.stack([y, x, y * 0]).repeat(batch, 1, 1, 1)


def test_grid_of_the_paper():
    network = CoordinateNetwork(True)
    found = blend_windows(network, coordinates(1024, 1365), 713, 476, True)
    assert found.extent == (1025, 1369)
    assert found.data.shape == (1, 2, 129, 172)
    assert found.cells_inside((1024, 1365)) == (128, 171)
    # Windows lie at multiples of 8; y is exact up to the padded last row.
    assert network.sizes == [(1, 3, 713, 713)] * 6
    expected = 8.0 * torch.arange(172)
    assert (found.data[0, 1] - expected).abs().max() < 1e-3
    expected = 8.0 * torch.arange(129)
    assert (found.data[0, 0] - expected[:, None]).abs().max() < 1e-3


@pytest.mark.parametrize('weights', ['ramp', 'uniform'])
@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize(
    ('size', 'window'),
    [
        ((100, 137), (49, 49)),  # whole pitch with align_corners
        ((100, 137), (48, 64)),  # whole pitch without
        ((97, 131), (50, 61)),  # neither
        ((30, 137), (64, 64)),  # one axis shorter than the window
    ],
)
def test_linear_maps_stay_exact(size, window, align_corners, weights):
    stride = (window[0] * 2 // 3, window[1] * 2 // 3)
    found = blend_windows(
        CoordinateNetwork(align_corners),
        coordinates(*size),
        window,
        stride,
        align_corners,
        weights,
    )
    height, width = found.data.shape[-2:]
    grid = grid_of(align_corners)
    ys = cell_positions(height, found.extent[0], grid).float()
    xs = cell_positions(width, found.extent[1], grid).float()
    # Resampled windows know nothing beyond their outer cells.
    inner = found.data[0, :, 1:-1, 1:-1]
    assert (inner[0] - ys[1:-1, None]).abs().max() < 2e-3
    assert (inner[1] - xs[1:-1]).abs().max() < 2e-3
    # Some of these windows have cells 9 pixels apart.
    assert all(e - s in range(9) for e, s in zip(found.extent, size))


@pytest.mark.parametrize('weights', ['ramp', 'uniform'])
@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('size', [(1, 1), (3, 70), (50, 61), (64, 90)])
@pytest.mark.parametrize('cells', [1, 2, 3, 5])
def test_constant_maps_stay_constant(size, align_corners, weights, cells):
    def network(image):
        return image.new_full((len(image), 3, cells, cells + 1), 2.5)

    image = torch.zeros(2, 3, *size)
    found = blend_windows(network, image, 20, 15, align_corners, weights)
    assert found.data.shape[:2] == (2, 3)
    assert (found.data - 2.5).abs().max() < 1e-6


@pytest.mark.parametrize('weights', ['ramp', 'uniform'])
def test_blending_against_a_loop(weights):
    """Windows of 17 pixels and 5 cells, pitch 4, on 30 x 41 pixels."""
    maps = []

    def network(image):
        generator = torch.Generator().manual_seed(len(maps))
        maps.append(torch.rand(1, 6, 5, 5, generator=generator))
        return maps[-1]

    image = torch.zeros(1, 3, 30, 41)
    found = blend_windows(network, image, 17, 12, True, weights)
    # 13 pixels left for windows in y: 4 cells, 2 steps; 24 in x: 6, 2 steps.
    assert found.extent == (33, 41)
    ramp = linear_ramp(17, 6)[::4] if weights == 'ramp' else torch.ones(5)
    top = torch.zeros(6, 9, 11)
    bottom = torch.zeros(9, 11)
    number = 0
    for row in (0, 2, 4):
        for column in (0, 3, 6):
            for y in range(5):
                for x in range(5):
                    weight = ramp[y] * ramp[x]
                    value = weight * maps[number][0, :, y, x]
                    top[:, row + y, column + x] += value
                    bottom[row + y, column + x] += weight
            number += 1
    assert number == len(maps)
    torch.testing.assert_close(found.data[0], top / bottom)


def test_equivariant_network_gives_the_whole_run_inside():
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(3, 7, 5, stride=4, padding=2)
    image = torch.randn(2, 3, 89, 117)
    expected = whole(convolution, image, True)
    assert expected.extent == (89, 117)

    # Pitch 4: windows of 33 pixels have 9 cells.
    found = blend_windows(convolution, image, 33, 16, True)
    assert found.data.shape == expected.data.shape
    # The outer cells of a window see zeros where the whole run sees the
    # image. Cells to which no window gave an outer cell are clean.
    seen = blend_windows(
        lambda part: F.pad(part.new_ones(2, 1, 7, 7), (1, 1, 1, 1)),
        image,
        33,
        16,
        True,
    ).data[0, 0]
    clean = seen > 0.9999
    assert clean.sum() > 20
    difference = (found.data - expected.data).abs().amax((0, 1))
    assert difference[clean].max() < 1e-5


@pytest.mark.parametrize('batch', [2, 3, 100])
@pytest.mark.parametrize('align_corners', [True, False])
def test_batches_of_windows_change_nothing(batch, align_corners):
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1)
    image = torch.randn(2, 3, 40, 53)
    one = blend_windows(network, image, 17, 11, align_corners)
    many = blend_windows(network, image, 17, 11, align_corners, batch=batch)
    assert one.extent == many.extent
    torch.testing.assert_close(one.data, many.data)


def test_small_images_are_run_as_they_are():
    network = CoordinateNetwork(True)
    image = coordinates(30, 50, batch=2)
    found = blend_windows(network, image, 713, 476, True)
    assert network.sizes == [(2, 3, 30, 50)]
    assert found.extent == (30, 50)
    assert torch.equal(found.data, network(image))


def test_half_precision_is_summed_in_float32():
    image = torch.zeros(1, 3, 40, 40)
    found = blend_windows(
        lambda part: part.new_full((1, 2, 5, 5), 1.5).bfloat16(),
        image,
        17,
        11,
        True,
    )
    assert found.data.dtype == torch.float32
    assert (found.data - 1.5).abs().max() < 1e-6


def test_the_image_of_the_caller_is_left_alone():
    image = torch.rand(1, 3, 40, 40)
    before = image.clone()
    blend_windows(lambda part: part, image, 17, 11, True)
    assert torch.equal(image, before)


def test_wrong_options_are_refused():
    image = torch.zeros(1, 3, 10, 10)

    def network(part):
        return part

    with pytest.raises(ValueError, match='`weights` should be'):
        blend_windows(network, image, 8, 4, True, 'gauss')
    with pytest.raises(ValueError, match='`max_stride` should be from 1'):
        blend_windows(network, image, 18, (4, 19), True)
    with pytest.raises(ValueError, match='`batch` should be at least 1'):
        blend_windows(network, image, 8, 4, True, batch=0)
