import pickle
import random
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from fgsn_mmseg.engine import SeededDataset, SeededInfiniteSampler
from fgsn_mmseg.engine.seeded_data import Draw
from fgsn_mmseg.engine.seeding import derive_seed, scoped_seed, shared_seed
from fgsn_mmseg.models.pairs import draw_sides


def sampler(size=7, start=0, rank=0, world_size=1, **kwargs):
    made = SeededInfiniteSampler(range(size), **kwargs)
    made.start, made.rank, made.world_size = start, rank, world_size
    return made


def draws(made, count):
    return [(int(d), d.seed) for d in islice(made, count)]


class Noise:
    """Every read draws from the three process-wide generators."""

    metainfo = dict(name='noise')

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return (
            type(index) is int,
            index,
            random.random(),
            np.random.rand(),
            torch.rand(1).item(),
        )


class TestSampler:
    def test_rounds_are_permutations(self):
        indices = [i for i, _ in draws(sampler(), 21)]
        rounds = [indices[i : i + 7] for i in (0, 7, 14)]
        assert all(sorted(one) == list(range(7)) for one in rounds)
        assert len({tuple(one) for one in rounds}) == 3

    def test_without_shuffling(self):
        found = draws(sampler(size=3, shuffle=False), 7)
        assert [i for i, _ in found] == [0, 1, 2, 0, 1, 2, 0]
        assert len({seed for _, seed in found}) == 7

    @pytest.mark.parametrize('start', [0, 1, 6, 7, 30])
    def test_starts_anywhere(self, start):
        expected = draws(sampler(seed=3), 50)[start:]
        assert draws(sampler(seed=3, start=start), 50 - start) == expected

    @pytest.mark.parametrize('start', [0, 4])
    def test_ranks_share_the_draws(self, start):
        whole = draws(sampler(seed=3), 60)
        for rank in range(3):
            made = sampler(seed=3, start=start, rank=rank, world_size=3)
            assert draws(made, 10) == whole[rank + 3 * start :: 3][:10]

    def test_seed(self):
        assert draws(sampler(seed=1), 14) != draws(sampler(seed=2), 14)
        assert draws(sampler(seed=None), 14) == draws(sampler(seed=0), 14)

    def test_global_generator_is_left_alone(self):
        torch.manual_seed(0)
        draws(sampler(), 20)
        found = torch.rand(1)
        torch.manual_seed(0)
        assert found == torch.rand(1)

    def test_no_samples(self):
        with pytest.raises(ValueError, match='ann_file'):
            SeededInfiniteSampler([])

    def test_length_is_that_of_the_data(self):
        assert len(sampler()) == 7


class TestDataset:
    def test_reads_follow_the_draw_alone(self):
        dataset = SeededDataset(Noise())
        draw = Draw(3, 123)
        first = dataset[draw]
        random.seed(9), np.random.seed(9), torch.manual_seed(9)
        assert dataset[draw] == first
        assert dataset[Draw(3, 124)][2:] != first[2:]
        assert first[:2] == (True, 3)

    def test_generators_are_put_back(self):
        dataset, found = SeededDataset(Noise()), []
        for read in (True, False):
            random.seed(1), np.random.seed(1), torch.manual_seed(1)
            if read:
                dataset[Draw(0, 5)]
            found.append(
                (random.random(), np.random.rand(), torch.rand(1).item())
            )
        assert found[0] == found[1]

    def test_plain_index(self):
        assert SeededDataset(Noise())[2][1] == 2

    def test_looks_like_the_dataset_inside(self):
        dataset = SeededDataset(Noise())
        assert len(dataset) == 5 and dataset.metainfo == dict(name='noise')
        dataset.full_init()

    @pytest.mark.parametrize('workers', [1, 2])
    def test_workers_change_nothing(self, workers):
        def read(num_workers):
            loader = DataLoader(
                SeededDataset(Noise()),
                batch_size=2,
                sampler=sampler(5, seed=4),
                num_workers=num_workers,
                collate_fn=list,
            )
            return list(islice(loader, 6))

        assert read(workers) == read(0)


def test_draw_survives_pickling():
    draw = pickle.loads(pickle.dumps(Draw(4, 99)))
    assert (draw, draw.seed) == (4, 99) and isinstance(draw, int)


class TestSeeding:
    def test_derived_seeds(self):
        seeds = {derive_seed('x', a, b) for a in range(20) for b in range(20)}
        assert len(seeds) == 400
        assert all(0 <= seed < 2**32 for seed in seeds)
        assert derive_seed('x', 1, 2) == derive_seed('x', 1, 2)
        assert derive_seed('x', 1, 2) != derive_seed('x', 2, 1)

    def test_purposes_share_no_draws(self):
        """numpy takes (1, 2) and (1, 2, 0) for the same."""
        numbers = [(), (0,), (0, 0), (1, 2), (1, 2, 0), (1, 2, 0, 0)]
        seeds = {derive_seed(p, *n) for p in ('a', 'b') for n in numbers}
        assert len(seeds) == 2 * len(numbers)

    def test_sides_do_not_decide_about_dropped_paths(self):
        """As many are dropped of references as of targets."""
        drops = {True: [], False: []}
        for iteration in range(4000):
            # As the loop seeds a step; then the sides, then the network.
            torch.manual_seed(derive_seed('step', 0, iteration, 0))
            reference = bool(draw_sides(1, 0.5)[0, 0])
            drops[reference].append(torch.rand(1).item() < 0.1)
        for dropped in drops.values():  # 0.1 +- 4 standard deviations
            assert abs(np.mean(dropped) - 0.1) < 0.03

    def test_scope_is_left_on_errors_too(self):
        torch.manual_seed(0)
        with pytest.raises(KeyError), scoped_seed(5):
            torch.rand(3)
            raise KeyError
        found = torch.rand(1)
        torch.manual_seed(0)
        assert found == torch.rand(1)

    def test_one_process_shares_with_itself(self):
        assert shared_seed(12) == 12
