from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS

from .agreement import agreement_figures
from .groups import group_of, group_pattern

VAL_LOSSES = ('val_loss_cluster', 'val_loss_feat', 'val_loss_out')


@METRICS.register_module()
class CorrespondenceMetric(BaseMetric):
    """Do the two images of a pair carry the same labels at correspondences?

    Pools the correspondences of all validation pairs and gives

    - ``agreement``, ``chance``, ``match_bits``, ``mutual_information``,
      ``used_clusters``: the student's labels, see
      :func:`~fgsn_mmseg.evaluation.agreement_figures`;
    - the same with ``teacher_`` in front: the labels that the student is
      taught. Right after a clustering they are the student before training;
    - ``val_loss_cluster``, ``val_loss_feat``, ``val_loss_out``: the authors'
      figures, means over the pairs that have correspondences.

    The last two groups are left out as long as there is no teacher. Keep the
    best network with
    ``CheckpointHook(save_best='match_bits', rule='greater')``, or, as the
    authors do, with ``save_best='val_loss_cluster', rule='less'``.

    Reads from each data sample ``labels``, ``labels2``, ``num_clusters`` and,
    where there are any, ``teacher_labels``, ``teacher_labels2`` and the three
    ``val_loss_*``.

    Args:
        group_by: Regular expression with one group, searched in the path of
            the target image with forward slashes. Agreement, chance and
            match bits of every value of the group are given as
            ``agreement/<value>`` and so on; paths that do not match are
            gathered under ``other``. Defaults to None, no groups.
        seed: Seed of the shuffle in the mutual information. Defaults to 0.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of
            mmengine's ``BaseMetric``.

    Raises:
        ValueError: ``group_by`` has not exactly one group.
    """

    def __init__(
        self,
        group_by: str | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.group_pattern = group_pattern(group_by)
        self.seed = seed

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what the figures need of each pair.

        Args:
            data_batch: Not used.
            data_samples: Predictions of ``FGSN`` on pairs, as dicts.
        """
        for sample in data_samples:
            result: dict[str, Any] = {
                'num_clusters': int(sample['num_clusters']),
                'labels': _to_array(sample['labels']),
                'labels2': _to_array(sample['labels2']),
            }
            if 'teacher_labels' in sample:
                result.update(
                    teacher_labels=_to_array(sample['teacher_labels']),
                    teacher_labels2=_to_array(sample['teacher_labels2']),
                )
            for name in VAL_LOSSES:
                if name in sample:
                    result[name] = float(sample[name])
            if self.group_pattern is not None:
                result['group'] = group_of(
                    self.group_pattern, sample['img_path2']
                )
            self.results.append(result)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Turn the pairs of all ranks into the figures.

        Args:
            results: What :meth:`process` kept, one entry a pair.

        Returns:
            The figures by name; zeros where there is no correspondence.
        """
        metrics = self._figures(results)
        for name in VAL_LOSSES:
            values = [
                result[name]
                for result in results
                if name in result and len(result['labels'])
            ]
            if values:
                metrics[name] = float(np.mean(values))
            elif any(name in result for result in results):
                metrics[name] = 0.0

        groups = sorted({r['group'] for r in results if 'group' in r})
        for group in groups:
            members = [r for r in results if r['group'] == group]
            for name, value in self._figures(members).items():
                if name.endswith(('agreement', 'chance', 'match_bits')):
                    metrics[f'{name}/{group}'] = value
        return metrics

    def _figures(self, results: list[dict]) -> dict[str, float]:
        """Student's and, where there is one, teacher's agreement figures."""
        num_clusters = max((r['num_clusters'] for r in results), default=1)
        metrics: dict[str, float] = {}
        for who in ('', 'teacher_'):
            known = [r for r in results if who + 'labels' in r]
            if who and not known:
                continue
            figures = agreement_figures(
                _concatenate([r[who + 'labels'] for r in known]),
                _concatenate([r[who + 'labels2'] for r in known]),
                num_clusters,
                self.seed,
            )
            metrics.update({who + k: v for k, v in figures.items()})
        return metrics


def _to_array(labels: Any) -> np.ndarray:
    """Copy a label tensor to a small array: int32 holds every cluster id."""
    return labels.detach().cpu().numpy().astype(np.int32)


def _concatenate(arrays: list[np.ndarray]) -> np.ndarray:
    """Concatenate label arrays, of which there may be none at all."""
    return np.concatenate([np.zeros(0, np.int32), *arrays])
