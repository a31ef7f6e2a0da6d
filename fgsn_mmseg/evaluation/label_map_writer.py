from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS

from ..datasets import label_map_path, write_label_map


@METRICS.register_module()
class LabelMapWriter(BaseMetric):
    """Write the predicted label map of every image as a 16-bit PNG.

    For mmseg's test loop, in the place of ``IoUMetric(format_only=True,
    output_dir=...)``, which casts to 8 bits. It computes no figure.

    Args:
        output_dir: Folder to write to; mmseg's ``tools/test.py --out`` sets
            it.
        img_root: Folder of the images. A map has the path of its image
            relative to it, with the extension ``.png``. Defaults to None:
            the bare file name, as long as no two images share it.
        keep_results: Not used. ``tools/test.py --out`` passes it.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of
            mmengine's ``BaseMetric``.
    """

    def __init__(
        self,
        output_dir: str,
        img_root: str | None = None,
        keep_results: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_dir = output_dir
        self.img_root = img_root
        self._written: dict[str, str] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Write the maps of one batch.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``img_path`` and ``pred_sem_seg``.

        Raises:
            ValueError: An image lies outside ``img_root``, or two images
                would be written to one file.
        """
        for sample in data_samples:
            image = sample['img_path']
            path = label_map_path(image, self.output_dir, self.img_root)
            if self._written.setdefault(path, image) != image:
                raise ValueError(
                    f'`img_root` should keep the images apart, but got '
                    f'{self.img_root!r}, for which {image} and '
                    f'{self._written[path]} are both written to {path}. Set '
                    'it to the folder that holds all images.'
                )
            labels = sample['pred_sem_seg']['data']
            write_label_map(path, labels.detach().cpu().numpy()[0])
            self.results.append(path)

    def compute_metrics(self, results: list[str]) -> dict[str, float]:
        """Say where the maps are.

        Args:
            results: Paths written by all ranks.

        Returns:
            An empty dict.
        """
        self._written.clear()
        print_log(
            f'{len(set(results))} label maps were written to '
            f'{self.output_dir}',
            logger='current',
        )
        return {}
