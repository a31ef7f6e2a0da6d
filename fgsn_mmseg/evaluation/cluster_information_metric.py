from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS
from prettytable import PrettyTable

from .cluster_information import (
    cluster_class_counts,
    contingency_table,
    majority_vote_iou,
    normalized_mutual_information,
    purity,
)
from .label_map_writer import LabelMapWriter


@METRICS.register_module()
class ClusterInformationMetric(BaseMetric):
    """How much the clusters tell about human classes, on annotated images.

    The paper's first table, for mmseg's test loop: takes the place of
    ``IoUMetric``, which wants predictions to be classes. Gives

    - ``NMI``: normalised mutual information (arithmetic mean), in [0, 1];
    - ``purity``: share of pixels that have their cluster's majority class,
      in [0, 1];
    - ``mIoU``: mean IoU after giving each cluster its majority class, in
      percent as everywhere in mmseg, with a table of the classes in the log;
    - ``seen_clusters``: clusters with at least one annotated pixel.

    Args:
        ignore_index: Class id of pixels without a class. Clusters are never
            ignored by their id. Defaults to 255.
        output_dir: Where to write the label maps too, as 16-bit PNG; mmseg's
            ``tools/test.py --out`` sets it. Defaults to None: nowhere.
        img_root: See :class:`LabelMapWriter`.
        keep_results: Not used. ``tools/test.py --out`` passes it.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of
            mmengine's ``BaseMetric``.
    """

    def __init__(
        self,
        ignore_index: int = 255,
        output_dir: str | None = None,
        img_root: str | None = None,
        keep_results: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ignore_index = ignore_index
        self.writer = None
        if output_dir is not None:
            self.writer = LabelMapWriter(output_dir, img_root, **kwargs)

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the human classes, from the dataset."""
        classes = (self.dataset_meta or {}).get('classes')
        if not classes:
            raise ValueError(
                f'`classes` should be in the metainfo of the dataset, but got '
                f'{classes!r}. Use a dataset with classes, as `IoUMetric` '
                'does.'
            )
        return classes

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Count clusters and classes of one batch.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_sem_seg`` (clusters) and
                ``gt_sem_seg`` (classes) of equal size.

        Raises:
            ValueError: The maps of an image do not fit together.
        """
        for sample in data_samples:
            try:
                codes, counts = cluster_class_counts(
                    sample['pred_sem_seg']['data'].cpu().numpy(),
                    sample['gt_sem_seg']['data'].cpu().numpy(),
                    len(self.class_names),
                    self.ignore_index,
                )
            except ValueError as error:
                where = sample.get('seg_map_path', sample.get('img_path'))
                raise ValueError(f'{error} File: {where}') from error
            self.results.append((codes, counts, sample.get('num_clusters')))
        if self.writer is not None:
            self.writer.process(data_batch, data_samples)

    def compute_metrics(
        self, results: list[tuple[np.ndarray, np.ndarray, int | None]]
    ) -> dict[str, float]:
        """Turn the counts of all ranks into the figures.

        Args:
            results: Codes and counts of every image, and K if known.

        Returns:
            The figures by name.
        """
        table = contingency_table(
            np.concatenate([np.zeros(0, np.int64), *(r[0] for r in results)]),
            np.concatenate([np.zeros(0, np.int64), *(r[1] for r in results)]),
            len(self.class_names),
        )
        iou = majority_vote_iou(table)
        seen = int((table.sum(axis=1) > 0).sum())
        known = max((r[2] or 0 for r in results), default=0)
        self._log_classes(table, iou, f'{seen} of {known}' if known else seen)
        return {
            'NMI': normalized_mutual_information(table),
            'purity': purity(table),
            'mIoU': 100 * float(np.nanmean(iou)) if seen else 0.0,
            'seen_clusters': seen,
        }

    def _log_classes(
        self, table: np.ndarray, iou: np.ndarray, seen: str | int
    ) -> None:
        """Log one row a class, as ``IoUMetric`` does."""
        votes = table.argmax(axis=1)[table.sum(axis=1) > 0]
        rows = PrettyTable()
        rows.add_column('Class', list(self.class_names))
        rows.add_column('IoU', np.round(100 * iou, 2).tolist())
        rows.add_column(
            'Clusters', np.bincount(votes, minlength=len(iou)).tolist()
        )
        print_log(
            f'Clusters seen: {seen}; after giving each its majority class:'
            f'\n{rows.get_string()}',
            logger='current',
        )

    def evaluate(self, size: int) -> dict[str, float]:
        """Evaluate, and let the writer say where the maps are.

        Args:
            size: Number of images in the set.

        Returns:
            The figures by name.
        """
        metrics = super().evaluate(size)
        if self.writer is not None:
            self.writer.evaluate(size)
        return metrics
