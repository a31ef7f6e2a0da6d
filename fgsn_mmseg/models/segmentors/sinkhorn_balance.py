from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_gather
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...clustering import balanced_labels, check_balance, column_offsets


@MODELS.register_module()
class SinkhornBalance(nn.Module):
    """Keeps labels alive: all of them are given to equally many cells.

    Each cluster's score gets an offset, by which a label that is rare is
    given more often. The offsets are those of Sinkhorn's iterations over a
    queue of the scores of random cells of the last training crops, see
    :func:`~fgsn_mmseg.clustering.column_offsets` (SwAV, Caron et al.,
    NeurIPS 2020, section 3.1; there for the batch, without labels on maps).

    Until the queue is full, ``queue / (ranks * rows)`` iterations after a
    clustering, labels are the codebook's own. Queue and offsets are part of
    the state: a resumed run goes on exactly. In a distributed run the ranks
    share one queue.

    Args:
        num_clusters: K. An FGSN sets it.
        queue: Number of cells in the queue; several for each cluster.
        rows: Cells that a rank adds in each iteration.
        epsilon: Softness, in units of half a squared distance in the
            whitened space (that of cosines). With 0.05 a cell is given
            another label than its nearest centroid's rather freely; smaller
            values need more iterations.
        iterations: Of Sinkhorn in each training iteration; they go on from
            the offsets of the one before.
        spare: Share of cells, in [0, 1), that get no label: those that no
            cluster suits. They are ignored by all losses.
    """

    queue: Tensor
    offsets: Tensor

    def __init__(
        self,
        num_clusters: int,
        queue: int = 4096,
        rows: int = 256,
        epsilon: float = 0.05,
        iterations: int = 3,
        spare: float = 0.0,
    ) -> None:
        super().__init__()
        check_balance(epsilon, iterations, spare)
        if not 1 <= rows <= queue:
            raise ValueError(
                f'`rows` should be in 1..queue={queue}, but got {rows}.'
            )
        self.rows = rows
        self.epsilon = epsilon
        self.iterations = iterations
        self.spare = spare
        # NaN: no cell yet.
        self.register_buffer('queue', torch.empty(queue, num_clusters))
        self.register_buffer('offsets', torch.empty(num_clusters + 1))
        self.forget_labels()

    def forget_labels(self) -> None:
        """Start again: there are new labels."""
        self.queue.fill_(torch.nan)
        self.offsets.fill_(0)
        self.offsets[-1] = -torch.inf

    @torch.no_grad()
    def forward(self, scores: Tensor) -> Tensor:
        """Label cells; in training mode, learn from them first.

        Args:
            scores: (M, K) of all cells, see
                :meth:`~fgsn_mmseg.clustering.Codebook.scores`.

        Returns:
            (M,) int64 in 0..K-1, or -1 for cells without a label.
        """
        if self.training:
            self._learn(scores)
        return balanced_labels(scores, self.epsilon, self.offsets)

    def _learn(self, scores: Tensor) -> None:
        """Put some cells into the queue and find the offsets again."""
        # As many on every rank, whatever the size of its maps; drawn on the
        # CPU, from the generator that the loop seeds for each iteration.
        chosen = torch.randint(len(scores), (self.rows,))
        new = scores[chosen.to(scores.device)].float()
        # torch < 2.1 cannot gather into tensors of inference mode.
        with torch.inference_mode(False):
            new = torch.cat(all_gather(new.clone()))[: len(self.queue)]
        self.queue.copy_(torch.cat([new, self.queue[: -len(new)]]))
        full = ~self.queue[-1, 0].isnan()
        found = column_offsets(
            self.queue, self.epsilon, self.iterations, self.spare,
            self.offsets,
        )  # fmt: skip
        # Not `if full`: the GPU is not waited for.
        self.offsets.copy_(torch.where(full, found, self.offsets))

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Begin with an empty queue where that of the state is another."""
        saved = state_dict.get(f'{prefix}queue')
        if saved is not None and saved.shape != self.queue.shape:
            for name, value in self.state_dict(prefix=prefix).items():
                state_dict[name] = value
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
