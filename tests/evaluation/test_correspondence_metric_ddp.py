import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from fgsn_mmseg.evaluation import CorrespondenceMetric

SIZE = 5  # odd: the sampler gives one rank a sample twice


def make_sample(index):
    generator = torch.Generator().manual_seed(index)
    labels = torch.randint(0, 300, (2, index), generator=generator)
    return {
        'num_clusters': 300,
        'labels': labels[0],
        'labels2': torch.where(labels[1] < 200, labels[0], labels[1]),
        'teacher_labels': labels[1],
        'teacher_labels2': labels[1],
        'val_loss_cluster': torch.tensor(float(index)),
        'img_path2': f'season{index % 2}/x.jpg',
    }


def evaluate(indices):
    metric = CorrespondenceMetric(group_by='(season.)/')
    for index in indices:
        metric.process(None, [make_sample(index)])
    return metric.evaluate(SIZE)


def run_rank(rank, store, results):
    dist.init_process_group(
        'gloo', init_method=f'file://{store}', rank=rank, world_size=2
    )
    # As DefaultSampler deals them out: round robin, padded from the start.
    results[rank] = evaluate([(rank + 2 * i) % SIZE for i in range(3)])
    dist.destroy_process_group()


@pytest.mark.ddp
def test_two_ranks_give_what_one_gives(tmp_path):
    with mp.Manager() as manager:
        results = manager.dict()
        mp.spawn(run_rank, (str(tmp_path / 'store'), results), nprocs=2)
        both = dict(results)
    expected = evaluate(range(SIZE))
    assert expected['val_loss_cluster'] == 2.5  # 1, 2, 3, 4; 0 has no points
    assert expected['match_bits'] > 0
    assert both[0] == both[1] == expected
