import pytest
import torch

from fgsn_mmseg.models.pairs import (
    draw_sides,
    fill,
    gather,
    ignore_padding,
    scatter,
)


@pytest.mark.parametrize('fraction', [0.0, 0.25, 0.5, 1.0])
def test_share_of_references(fraction):
    sides = draw_sides(20_000, fraction, torch.Generator().manual_seed(0))
    assert sides.shape == (20_000, 2) and sides.dtype == torch.bool
    assert (sides.sum(1) == 1).all()
    share = float(sides[:, 0].float().mean())
    assert share == pytest.approx(fraction, abs=0.015 * (0 < fraction < 1))


def test_both_sides():
    assert draw_sides(3, None, torch.Generator()).all()


def test_draws_follow_the_generator_alone():
    draws = []
    for _ in range(2):
        torch.rand(3)
        generator = torch.Generator().manual_seed(7)
        draws.append(draw_sides(50, 0.5, generator))
    assert torch.equal(*draws)


def test_scatter_and_fill():
    chosen = torch.tensor([[True, False], [True, True], [False, True]])
    maps = torch.arange(4).view(4, 1, 1, 1)
    pair = scatter(maps, chosen)
    found = [[None if m is None else int(m) for m in side] for side in pair]
    assert found == [[0, 1, None], [None, 2, 3]]
    fill(pair, 10 + maps[:2], ~chosen)
    found = [[int(m) for m in side] for side in pair]
    assert found == [[0, 1, 11], [10, 2, 3]]


def test_gather():
    references = torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1)
    chosen = torch.tensor([[True, False], [True, True], [False, True]])
    images = gather(references, 10 * references, chosen)
    assert images.flatten().tolist() == [1, 2, 20, 30]
    assert images.shape == (4, 1, 1, 1)


@pytest.mark.parametrize('grid', ['corners', 'centers'])
def test_cells_on_padding_have_no_label(grid):
    """40 x 57 pixels in 64 x 57; corners: 9 pixels apart, centers: 8."""
    labels = torch.arange(2 * 8 * 8).view(2, 8, 8)
    found = ignore_padding(labels.clone(), [(40, 57), None], (64, 57), grid)
    assert torch.equal(found[1], labels[1])
    # Corners: row 4 lies at 36, row 5 at 45. Centers: 35.5 and 43.5.
    assert torch.equal(found[0, :5], labels[0, :5])
    assert (found[0, 5:] == 65535).all()
    found = ignore_padding(labels.clone(), [(64, 20)] * 2, (64, 57), grid)
    # Corners: 8 pixels apart, 2 at 16. Centers: 7.125 apart, 2 at 17.3.
    assert torch.equal(found[:, :, :3], labels[:, :, :3])
    assert (found[:, :, 3:] == 65535).all()
