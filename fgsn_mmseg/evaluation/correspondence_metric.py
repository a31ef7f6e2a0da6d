from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS

from ..geometry import resize_scale, unresize_points
from .agreement import agreement_figures
from .groups import group_of, group_pattern
from .hard_matches import HardMatches, hard_figures, hard_matches
from .label_map_writer import LabelMapWriter

VAL_LOSSES = ('val_loss_cluster', 'val_loss_feat', 'val_loss_out')
GROUP_FIGURES = ('agreement', 'chance', 'match_bits', 'match_bits_hard')
STUDENT, TEACHER = '', 'teacher_'


@METRICS.register_module()
class CorrespondenceMetric(BaseMetric):
    """Do the two images of a pair carry the same labels at correspondences?

    Pools the correspondences of all validation pairs and gives

    - ``match_bits``, ``agreement``, ``chance``, ``mutual_information``,
      ``used_clusters``, ``used_clusters_tenth``, ``entropy``: the student's
      labels, see :func:`~fgsn_mmseg.evaluation.agreement_figures`;
    - ``match_bits_hard``, ``chance_hard``: against wrong matches at the same
      height of the image, see :func:`~fgsn_mmseg.evaluation.hard_matches`;
      distances are in pixels of the network's input;
    - the same with ``teacher_`` in front: the labels that the student is
      taught. Right after a clustering they are the student before training;
    - ``val_loss_cluster``, ``val_loss_feat``, ``val_loss_out``: the authors'
      figures, means over the pairs that have correspondences.

    The last two groups are left out as long as there is no teacher. Keep the
    best network with
    ``CheckpointHook(save_best='match_bits', rule='greater')``, or, as the
    authors do, with ``save_best='val_loss_cluster', rule='less'``;
    ``save_best='auto'`` takes the first figure, ``match_bits``. A network
    that gives one label everywhere is named in a warning.

    Reads from each data sample ``labels``, ``labels2``, ``num_clusters``,
    ``points``, ``points2``, ``img_shape``, ``img_shape2`` and, where there
    are any, ``teacher_labels``, ``teacher_labels2`` and the three
    ``val_loss_*``.

    Args:
        group_by: Regular expression with one group, searched in the path of
            the target image with forward slashes. Agreement, chance and
            match bits of every value of the group are given as
            ``agreement/<value>`` and so on; paths that do not match are
            gathered under ``other``. Defaults to None, no groups.
        seed: Seed of the shuffle in the mutual information. Defaults to 0.
        output_dir: Where to write the label maps of both images too, at the
            resolution of the features, as 16-bit PNG; mmseg's
            ``tools/test.py --out`` sets it. Defaults to None: nowhere.
        img_root: See :class:`LabelMapWriter`.
        keep_results: Not used. ``tools/test.py --out`` passes it.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of
            mmengine's ``BaseMetric``.

    Raises:
        ValueError: ``group_by`` has not exactly one group.
    """

    def __init__(
        self,
        group_by: str | None = None,
        seed: int = 0,
        output_dir: str | None = None,
        img_root: str | None = None,
        keep_results: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.writer = None
        if output_dir is not None:
            self.writer = LabelMapWriter(output_dir, img_root, **kwargs)
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
                'num_clusters': int(sample['num_clusters'])
            }
            for who in (STUDENT, TEACHER):
                if who + 'labels' not in sample:
                    continue
                both = [
                    _to_array(sample[f'{who}labels{side}'])
                    for side in ('', '2')
                ]
                result[who + 'labels'], result[who + 'labels2'] = both
                result[who + 'hard'] = _hard_matches(sample, *both)
            for name in VAL_LOSSES:
                if name in sample:
                    result[name] = float(sample[name])
            if self.group_pattern is not None:
                result['group'] = group_of(
                    self.group_pattern, sample['img_path2']
                )
            self.results.append(result)
            if self.writer is not None:
                maps = [
                    {
                        'img_path': sample[f'img_path{side}'],
                        'pred_sem_seg': sample[f'pred_sem_seg{side}'],
                    }
                    for side in ('', '2')
                ]
                self.writer.process(data_batch, maps)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Turn the pairs of all ranks into the figures.

        Args:
            results: What :meth:`process` kept, one entry a pair.

        Returns:
            The figures by name; zeros where there is no correspondence.
        """
        metrics = self._figures(results)
        _warn_if_dead(results, metrics)
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
                if name.endswith(GROUP_FIGURES):
                    metrics[f'{name}/{group}'] = value
        return metrics

    def evaluate(self, size: int) -> dict[str, float]:
        """Evaluate, and let the writer say where the maps are.

        Args:
            size: Number of pairs in the set.

        Returns:
            The figures by name.
        """
        metrics = super().evaluate(size)
        if self.writer is not None:
            self.writer.evaluate(2 * size)
        return metrics

    def _figures(self, results: list[dict]) -> dict[str, float]:
        """Student's and, where there is one, teacher's agreement figures."""
        num_clusters = max((r['num_clusters'] for r in results), default=1)
        metrics: dict[str, float] = {}
        for who in (STUDENT, TEACHER):
            known = [r for r in results if who + 'labels' in r]
            if who and not known:
                continue
            figures = agreement_figures(
                _concatenate([r[who + 'labels'] for r in known]),
                _concatenate([r[who + 'labels2'] for r in known]),
                num_clusters,
                self.seed,
            )
            figures.update(hard_figures(r[who + 'hard'] for r in known))
            metrics.update({who + k: v for k, v in figures.items()})
        return metrics


def _hard_matches(
    sample: dict, labels: np.ndarray, labels2: np.ndarray
) -> HardMatches:
    """Sums of one pair; of nothing where the sample has no points."""
    if 'points' not in sample:
        return HardMatches(0, 0, 0.0)
    points, sizes = [], []
    for side in ('', '2'):
        own = sample[f'img_shape{side}'][:2]
        size = sample.get(f'ori_shape{side}', own)[:2]
        # Distances are in pixels of the files, whatever the network sees.
        scale = resize_scale(size, own)
        points.append(
            unresize_points(sample[f'points{side}'].cpu().numpy(), scale)
        )
        sizes.append(size)
    (first, second), (size, size2) = points, sizes
    return hard_matches(labels, labels2, first, second, size, size2)


def _warn_if_dead(results: list[dict], metrics: dict[str, float]) -> None:
    """Name a network that tells no two points apart."""
    labels = _concatenate([r['labels'] for r in results])
    if metrics['used_clusters'] != 1 or len(labels) < 2:
        return
    losses = [r[name] for r in results for name in VAL_LOSSES if name in r]
    why = ' and losses are NaN' if np.isnan(losses).any() else ''
    print_log(
        'CorrespondenceMetric: the network is dead, all points of all images '
        f'have the label {labels[0]}{why}. Lower the learning rate, or go '
        'back to an earlier checkpoint.',
        logger='current',
        level=logging.WARNING,
    )


def _to_array(labels: Any) -> np.ndarray:
    """Copy a label tensor to a small array: int32 holds every cluster id."""
    return labels.detach().cpu().numpy().astype(np.int32)


def _concatenate(arrays: list[np.ndarray]) -> np.ndarray:
    """Concatenate label arrays, of which there may be none at all."""
    return np.concatenate([np.zeros(0, np.int32), *arrays])
