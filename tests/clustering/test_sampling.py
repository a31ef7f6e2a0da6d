import pytest
import torch

from fgsn_mmseg.clustering import sample_cells

MAP = (6, 10)  # not square: y * 10 + x


def cells_of(indices, width=10):
    return torch.tensor([[i % width, i // width] for i in indices])


def draw(cells, *args, seed=0, **kwargs):
    generator = torch.Generator().manual_seed(seed)
    return sample_cells(cells, *args, generator=generator, **kwargs)


def test_few_correspondences_are_all_taken():
    # (x, y) = (9, 5) is the last cell; two points share (2, 1).
    cells = torch.tensor([[9, 5], [2, 1], [0, 0], [2, 1]])
    chosen = draw(cells, MAP)
    assert set(chosen[:3].tolist()) == {59, 12, 0}
    assert len(chosen) == 6  # as many others at random
    assert len(set(chosen.tolist())) == 6


def test_no_more_than_asked_for():
    chosen = draw(cells_of(range(40)), MAP, num_features=20)
    assert len(chosen) == len(chosen.unique()) == 20
    assert (chosen[:10] < 40).all()
    # The random half may fall on the correspondences that were not chosen.
    assert chosen.max() < 60 and chosen.min() >= 0


def test_paper_numbers():
    chosen = draw(cells_of(range(1000), width=90), (90, 90))
    assert len(chosen) == 500 and (chosen[:250] < 1000).all()


@pytest.mark.parametrize(
    'fraction, at_points, total',
    [(0.0, 40, 40), (0.25, 30, 40), (0.5, 20, 40), (1.0, 0, 40)],
)
def test_fraction(fraction, at_points, total):
    # All cells of the upper rows hold a correspondence, none of the last.
    cells = cells_of(range(50))
    counts = []
    for seed in range(20):
        chosen = draw(
            cells, MAP, num_features=40, fraction=fraction, seed=seed
        )
        assert len(chosen) == len(chosen.unique()) == total
        counts.append(int((chosen[:at_points] < 50).sum()))
    assert counts == [at_points] * 20


def test_all_random_needs_no_correspondences():
    none = torch.zeros((0, 2), dtype=torch.int64)
    chosen = draw(none, MAP, num_features=25, fraction=1.0)
    assert len(chosen.unique()) == 25
    assert len(draw(none, MAP, num_features=100, fraction=1.0)) == 60


def test_random_ones_follow_the_correspondences():
    none = torch.zeros((0, 2), dtype=torch.int64)
    assert len(draw(none, MAP)) == 0
    assert len(draw(cells_of([7]), MAP)) == 2
    assert len(draw(cells_of([7, 8]), MAP, fraction=0.8)) == 10


@pytest.mark.parametrize('fraction', [0.1, 0.3, 0.55, 0.7, 0.9])
@pytest.mark.parametrize('num_features', [1, 2, 5, 11])
def test_rounding_keeps_the_limit(fraction, num_features):
    chosen = draw(
        cells_of(range(30)),
        MAP,
        num_features=num_features,
        fraction=fraction,
    )
    assert len(chosen) <= num_features


def test_more_wanted_than_there_are():
    chosen = draw(cells_of(range(60)), MAP, num_features=500)
    assert sorted(chosen.tolist()) == list(range(60))


def test_draws_follow_the_generator_alone():
    cells = cells_of(range(40))
    torch.manual_seed(0)
    first = draw(cells, MAP, num_features=20, seed=5)
    torch.manual_seed(1)
    assert torch.equal(draw(cells, MAP, num_features=20, seed=5), first)
    other = draw(cells, MAP, num_features=20, seed=6)
    assert not torch.equal(other, first)


def test_all_correspondences_have_a_chance():
    found = set()
    for seed in range(60):
        chosen = draw(cells_of(range(12)), MAP, num_features=4, seed=seed)
        found.update(chosen[:2].tolist())
    assert found == set(range(12))
