import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from tiny_fgsn import build_model, images, pair_batch, teach

from fgsn_mmseg.models import SinkhornBalance

SMALL = dict(type='SinkhornBalance', queue=40, rows=20, epsilon=0.02)


def rows(count=400, clusters=6, seed=0):
    """Scores; the third cluster is the best one almost everywhere."""
    generator = torch.Generator().manual_seed(seed)
    scores = 0.1 * torch.randn(count, clusters, generator=generator)
    scores[:, 2] += 1
    return scores


def naive_labels(queue, scores, epsilon, iterations):
    """Scaling of columns and rows, as written in the paper."""
    matrix = np.exp(queue.double().numpy() / epsilon)
    scale = np.ones(matrix.shape[1])
    for _ in range(iterations):
        sums = (matrix * scale).sum(1, keepdims=True)
        scale = len(queue) / matrix.shape[1] / (matrix / sums).sum(0)
    return (np.exp(scores.double().numpy() / epsilon) * scale).argmax(1)


def test_labels_against_naive():
    """The queue holds the cells that were drawn, the newest first."""
    balance = SinkhornBalance(6, queue=50, rows=20, epsilon=0.1, iterations=1)
    parts = [rows(90, seed=seed) for seed in range(60)]
    torch.manual_seed(1)
    for part in parts:
        found = balance(part)
    torch.manual_seed(1)
    drawn = [part[torch.randint(90, (20,))] for part in parts]
    queue = torch.cat(drawn[::-1])[:50]
    torch.testing.assert_close(balance.queue, queue)
    # One iteration a step keeps up with a queue that moves on, or nearly.
    expected = naive_labels(queue, parts[-1], 0.1, 500)
    assert (found.numpy() == expected).mean() > 0.9
    balance.queue.copy_(queue)
    balance.rows, balance.iterations = 1, 500
    expected = naive_labels(queue, queue, 0.1, 500)
    balance.eval()
    for _ in range(2):
        balance.train()
        torch.manual_seed(2)
        last = balance(queue)
    after = naive_labels(balance.queue, queue, 0.1, 500)
    assert (last.numpy() == after).all()


def test_the_best_scores_until_the_queue_is_full():
    balance = SinkhornBalance(6, queue=50, rows=20, epsilon=0.02)
    for step in range(2):
        scores = rows(seed=step)
        assert torch.equal(balance(scores), scores.argmax(1))
    assert len(balance(rows(seed=3)).unique()) == 6
    for step in range(10):
        labels = balance(rows(seed=step))
    counts = torch.bincount(labels, minlength=6)
    assert counts.min() > 20 and counts.max() < 140
    balance.forget_labels()
    scores = rows(seed=4)
    assert torch.equal(balance(scores), scores.argmax(1))


def test_rests_in_eval_mode():
    balance = SinkhornBalance(6, queue=20, rows=20)
    balance(rows())
    before = {k: v.clone() for k, v in balance.state_dict().items()}
    labels = balance.eval()(rows(seed=1))
    assert len(labels.unique()) > 1
    for name, value in balance.state_dict().items():
        assert torch.equal(value, before[name])


def test_spare_share_gets_no_label():
    """A third of the cells has no preference, and a third is spare."""
    generator = torch.Generator().manual_seed(0)
    clear = torch.eye(6)[torch.randint(6, (400,), generator=generator)]
    scores = torch.cat([clear, torch.full((200, 6), 1 / 6)])
    balance = SinkhornBalance(
        6, queue=600, rows=600, epsilon=0.2, iterations=50, spare=1 / 3
    )
    labels = balance(scores)
    assert (labels[400:] == -1).all()
    assert torch.equal(labels[:400], clear.argmax(1))


class TestInAnFGSN:
    def test_labels(self):
        """Those of the codebook at first, then more even ones."""
        model = teach(build_model(balance=SMALL))
        plain = teach(build_model())
        batch = pair_batch()[0]['img']
        assert torch.equal(model.label_maps(batch), plain.label_maps(batch))
        model.label_maps(batch)
        for _ in range(20):
            model.label_maps(batch)
        own, even = (
            torch.bincount(one.label_maps(batch).flatten(), minlength=6)
            for one in (plain, model.eval())
        )
        assert even.float().std() < 0.5 * own.float().std()

    def test_scores_are_those_of_the_nearest_centroids(self):
        model = teach(build_model())
        with torch.no_grad():
            features = model.teacher(images()).movedim(1, -1).flatten(0, 2)
        scores = model.codebook.scores(features)
        reduced = model.codebook.reduce(features).double()
        far = torch.cdist(reduced, model.codebook.centroids.double())
        expected = (1 - far.square()) / 2
        torch.testing.assert_close(
            scores.double(), expected, rtol=1e-4, atol=1e-5
        )

    def test_cells_without_a_label_are_ignored(self):
        model = teach(build_model(balance=SMALL, fraction_reference=None))
        model.balance.eval().offsets[-1] = torch.inf
        batch = pair_batch()
        assert (model.label_maps(batch[0]['img']) == -1).all()
        losses = model.loss(*batch)
        assert all(float(loss) == 0 for loss in losses.values())

    def test_state(self):
        """Saved and loaded; another queue begins empty."""
        model = teach(build_model(balance=SMALL))
        for _ in range(3):
            model.label_maps(pair_batch()[0]['img'])
        state = model.state_dict()
        assert state['balance.queue'].isfinite().all()
        other = build_model(seed=1, balance=SMALL)
        other.load_state_dict(state)
        assert torch.equal(other.balance.queue, model.balance.queue)
        assert torch.equal(other.balance.offsets, model.balance.offsets)
        longer = build_model(balance={**SMALL, 'queue': 41})
        longer.load_state_dict(model.state_dict())
        assert longer.has_labels and longer.balance.queue.isnan().all()
        assert not longer.balance.offsets[:-1].any()
        without = build_model()
        without.load_state_dict(model.state_dict())
        later = build_model(balance=SMALL)
        later.load_state_dict(without.state_dict())
        assert later.balance.queue.isnan().all()

    def test_new_labels_empty_the_queue(self):
        model = teach(build_model(balance=SMALL))
        for _ in range(3):
            model.label_maps(pair_batch()[0]['img'])
        model.set_codebook(model.codebook)
        assert model.balance.queue.isnan().all()
        assert not model.balance.offsets[:-1].any()


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(rows=50, queue=40), r'`rows` should be in 1\.\.queue=40'),
        (dict(epsilon=0), '`epsilon` should be positive'),
        (dict(spare=1.0), r'`spare` in \[0, 1\)'),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='SinkhornBalance', num_clusters=6, **options))
