import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook
from mmengine.registry import TRANSFORMS
from tiny_runs import (
    assert_same_codebook,
    assert_same_state,
    clusterings,
    make_pairs,
    make_runner,
    train,
)

ITERS, STOP, BATCH = 5, 3, 2


@TRANSFORMS.register_module()
class NoteRead(BaseTransform):
    """Append what is read, and what the generators say then, to a file."""

    def __init__(self, path):
        self.path = path

    def transform(self, results):
        line = f'{results["corr_path"]} {np.random.random():.9f}\n'
        with open(self.path, 'a') as file:
            file.write(line)
        return results


class NoteLR(Hook):
    """The learning rate of every iteration."""

    def __init__(self):
        self.values = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.values.append(runner.optim_wrapper.get_lr()['lr'][0])


def run(root, work_dir, hooks=(), **kwargs):
    """Returns the runner and the lines about the samples that were read."""
    log = work_dir / 'reads.txt'
    work_dir.mkdir(parents=True)
    runner = train(
        root,
        work_dir,
        max_iters=ITERS,
        hooks=hooks,
        transforms=[dict(type='NoteRead', path=str(log))],
        **kwargs,
    )
    return runner, log.read_text().splitlines()


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp('pairs'))


@pytest.fixture(scope='module')
def uninterrupted(pairs, tmp_path_factory):
    """Clusterings at 0, 2 and 4, a checkpoint at 3 and at 5, the end."""
    work_dir = tmp_path_factory.mktemp('runs') / 'whole'
    note = NoteLR()
    runner, reads = run(pairs, work_dir, [note])
    return work_dir, runner, reads, note.values


def same_optimizer(first, second):
    first, second = (
        r.optim_wrapper.optimizer.state_dict() for r in (first, second)
    )
    assert first['state'].keys() == second['state'].keys()
    assert first['state']
    for key, state in first['state'].items():
        buffers = state['momentum_buffer'], second['state'][key]
        assert torch.equal(buffers[0], buffers[1]['momentum_buffer'])
    assert first['param_groups'] == second['param_groups']


@pytest.mark.parametrize('num_workers', [0, 2])
def test_resumed_run_equals_one_that_never_stopped(
    pairs, uninterrupted, tmp_path, num_workers
):
    """From the .pth alone, in another folder, with another seed given."""
    work_dir, whole, reads, rates = uninterrupted
    note = NoteLR()
    resumed, new_reads = run(
        pairs,
        tmp_path / 'resumed',
        [note],
        resume=True,
        load_from=str(work_dir / f'iter_{STOP}.pth'),
        randomness=dict(seed=77),
        num_workers=num_workers,
    )
    assert resumed.iter == whole.iter == ITERS
    assert_same_state(resumed.model.state_dict(), whole.model.state_dict())
    same_optimizer(resumed, whole)
    assert note.values == rates[STOP:]
    # Labels: nothing is clustered at 3, at 4 it is as before.
    first, second = clusterings(work_dir), clusterings(tmp_path / 'resumed')
    assert list(first) == [0, 2, 4] and list(second) == [4]
    assert_same_codebook(first[4], second[4])
    # No sample of the past is read, and those to come are the same.
    past, coming = reads[: STOP * BATCH], reads[STOP * BATCH :]
    assert len(coming) == (ITERS - STOP) * BATCH
    assert not set(past) & set(new_reads)
    if num_workers == 0:
        assert new_reads == coming
    else:  # workers also read ahead
        assert set(coming) <= set(new_reads)
        assert len(set(new_reads)) == len(new_reads)


def test_labels_come_from_the_checkpoint(pairs, uninterrupted, tmp_path):
    """Codebook and teacher of a resumed run before its next clustering."""
    work_dir, *_ = uninterrupted
    saved = torch.load(work_dir / f'iter_{STOP}.pth')['state_dict']
    runner = make_runner(
        pairs,
        tmp_path / 'run',
        max_iters=STOP,
        resume=True,
        load_from=str(work_dir / f'iter_{STOP}.pth'),
    )
    assert not runner.model.has_labels
    runner.train()  # no iteration is left
    assert_same_state(runner.model.state_dict(), saved)
    assert not clusterings(tmp_path / 'run')
    expected = clusterings(work_dir)[2]['cluster_centroids']
    centroids = runner.model.codebook.centroids.numpy()
    np.testing.assert_array_equal(centroids, expected)


def test_resume_where_a_clustering_is_due(pairs, uninterrupted, tmp_path):
    """A checkpoint at 4 holds the old head; 4 is clustered once."""
    _, whole, _, _ = uninterrupted
    checkpoint = dict(
        checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=4)
    )
    run(pairs, tmp_path / 'first', default_hooks=checkpoint)
    runner, _ = run(
        pairs,
        tmp_path / 'second',
        resume=True,
        load_from=str(tmp_path / 'first/iter_4.pth'),
    )
    assert list(clusterings(tmp_path / 'second')) == [4]
    assert_same_state(runner.model.state_dict(), whole.model.state_dict())


def test_workers_change_nothing(pairs, uninterrupted, tmp_path):
    _, whole, reads, _ = uninterrupted
    runner, new_reads = run(pairs, tmp_path / 'run', num_workers=2)
    assert_same_state(runner.model.state_dict(), whole.model.state_dict())
    assert set(reads) <= set(new_reads)


def test_nothing_is_read_before_the_run(pairs, tmp_path):
    """mmengine starts workers when it makes the loop; here they wait."""
    log = tmp_path / 'reads.txt'
    runner = make_runner(
        pairs,
        tmp_path / 'run',
        num_workers=2,
        transforms=[dict(type='NoteRead', path=str(log))],
    )
    loop = runner.build_train_loop(runner.cfg.train_cfg)
    assert loop.dataloader._iterator is None  # persistent workers
    assert not log.exists()


def test_iterations_draw_anew(uninterrupted):
    _, _, reads, _ = uninterrupted
    assert len(set(reads)) == len(reads) == ITERS * BATCH


def test_other_samplers_are_refused(pairs, tmp_path):
    config = make_runner(pairs, tmp_path / 'run').cfg.train_dataloader
    config.sampler.type = 'DefaultSampler'
    with pytest.raises(ValueError, match='should be InfiniteSampler, but got'):
        train(pairs, tmp_path / 'run2', train_dataloader=config)


def test_config_of_the_user_stays(pairs, tmp_path):
    runner = make_runner(pairs, tmp_path / 'run')
    before = runner.cfg.train_dataloader.to_dict()
    runner.build_train_loop(runner.cfg.train_cfg)
    assert runner.cfg.train_dataloader.to_dict() == before
