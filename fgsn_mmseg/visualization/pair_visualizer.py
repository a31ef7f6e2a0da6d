from __future__ import annotations

import os.path as osp
from typing import Any

import mmcv
import numpy as np
import torch
from mmengine.dist import master_only
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

from fgsn_mmseg.evaluation import chance_agreement
from fgsn_mmseg.geometry import resize_points, resize_scale

from ..datasets import cluster_palette, write_image
from .drawing import blend_label_map
from .pair_picture import draw_pair


@VISUALIZERS.register_module()
class PairVisualizer(SegLocalVisualizer):
    """Draws label maps of any number of clusters, of images and of pairs.

    A drop-in for mmseg's ``SegLocalVisualizer``, which wants a name and a
    colour per label and builds one full-size mask per label. Clusters have no
    names and take their colours from
    :func:`~fgsn_mmseg.visualization.cluster_palette`.

    Args:
        name: Name of the instance.
        image: RGB image to draw on. Defaults to None.
        vis_backends: Configs of the backends. Defaults to None.
        save_dir: Where the backends save. Defaults to None.
        alpha: Weight of the label map over the photo in [0, 1]. Defaults to
            0.6.
        pair_height: Height of each image of a pair in the picture, in
            pixels. Defaults to 480.
        max_points: Correspondences drawn at most. Defaults to 200.
        max_lines: Lines between the two photos at most. Defaults to 16.
        palette_seed: Another seed gives other colours. Defaults to 0.
        edges: Whether a pair is drawn with the edges of its photos only, as
            for photos that may not be shown. Defaults to False.
        **kwargs: Further arguments of ``SegLocalVisualizer``.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        image: np.ndarray | None = None,
        vis_backends: list | None = None,
        save_dir: str | None = None,
        alpha: float = 0.6,
        pair_height: int = 480,
        max_points: int = 200,
        max_lines: int = 16,
        palette_seed: int = 0,
        edges: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, image, vis_backends, save_dir, alpha=alpha, **kwargs
        )
        self.pair_height = pair_height
        self.max_points = max_points
        self.max_lines = max_lines
        self.palette_seed = palette_seed
        self.edges = edges
        self._palette = cluster_palette(1, palette_seed)

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: SegDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
        with_labels: bool | None = False,
        image2: np.ndarray | None = None,
    ) -> None:
        """Draw one sample and show it, write it, or send it to the backends.

        With `image2` the sample is a pair: both photos with their
        correspondences, green where the labels agree, red where not, and
        below them the label maps. Without, it is one image: annotation and
        prediction side by side, as far as there are any.

        Args:
            name: Identifier of the picture.
            image: (H, W, 3) uint8 RGB, the file as it is.
            data_sample: Sample after ``FGSN.predict``, or before: what it
                lacks is not drawn. Defaults to None: the bare image.
            draw_gt: Whether to draw ``gt_sem_seg`` of a single image, in the
                colours of the dataset.
            draw_pred: Whether to draw the predicted label maps.
            show: Whether to open a window; nothing goes to the backends
                then.
            wait_time: Seconds before the window closes; 0 waits for a key.
            out_file: File to write instead of the backends.
            step: Iteration, for the backends.
            with_labels: Not used; clusters have no names.
            image2: Target photo of a pair, as `image`. Defaults to None.
        """
        sample = SegDataSample() if data_sample is None else data_sample.cpu()
        if image2 is None:
            drawn = self._draw_single(image, sample, draw_gt, draw_pred)
        else:
            drawn = self._draw_pair(image, image2, sample, draw_pred)
        self.set_image(drawn)  # what `get_image` gives

        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            write_image(out_file, mmcv.rgb2bgr(drawn))
        elif not show:
            self.add_image(name, drawn, step)

    def palette_for(self, *label_maps: np.ndarray) -> np.ndarray:
        """Colours for all ids in some label maps.

        Args:
            *label_maps: Arrays of cluster ids.

        Returns:
            (K', 3) uint8 RGB, K' above every id but the ignored ones.
        """
        needed = 1
        for label_map in label_maps:
            # 65535 is -1 on disk.
            ids = label_map[label_map < 65535]
            needed = max(needed, int(ids.max(initial=0)) + 1)
        if needed > len(self._palette):
            self._palette = cluster_palette(needed, self.palette_seed)
        return self._palette

    def _draw_single(
        self,
        image: np.ndarray,
        sample: SegDataSample,
        draw_gt: bool,
        draw_pred: bool,
    ) -> np.ndarray:
        """Annotation and prediction of one image side by side."""
        panels: list[np.ndarray] = []
        colours = (self.dataset_meta or {}).get('palette')
        if draw_gt and 'gt_sem_seg' in sample and colours:
            classes = sample.gt_sem_seg.data[0].numpy()
            panels.append(
                blend_label_map(image, classes, np.array(colours), self.alpha)
            )
        if draw_pred and 'pred_sem_seg' in sample:
            labels = sample.pred_sem_seg.data[0].numpy()
            panels.append(
                blend_label_map(
                    image, labels, self.palette_for(labels), self.alpha
                )
            )
        return np.concatenate(panels, axis=1) if panels else image

    def _draw_pair(
        self,
        image: np.ndarray,
        image2: np.ndarray,
        sample: SegDataSample,
        draw_pred: bool,
    ) -> np.ndarray:
        """Photos, correspondences and label maps of a pair."""
        label_maps = None
        if draw_pred and 'pred_sem_seg' in sample:
            label_maps = (
                sample.pred_sem_seg.data[0].numpy(),
                sample.pred_sem_seg2.data[0].numpy(),
            )
        agree = None
        if draw_pred and 'labels' in sample:
            agree = (sample.labels == sample.labels2).numpy()
        points = [
            _file_points(sample, suffix, photo)
            for suffix, photo in (('', image), ('2', image2))
        ]
        return draw_pair(
            (image, image2),
            points,
            self.palette_for(*(label_maps or ())),
            label_maps,
            agree,
            _caption(sample, agree, len(points[0])),
            self.pair_height,
            self.alpha,
            self.max_points,
            self.max_lines,
            self.edges,
        )


def _file_points(
    sample: SegDataSample, suffix: str, image: np.ndarray
) -> np.ndarray:
    """Correspondences in pixels of the file instead of the network input."""
    points = sample.get('points' + suffix)
    if points is None:
        return np.zeros((0, 2))
    size = sample.metainfo.get('img_shape' + suffix, image.shape)
    return resize_points(points.numpy(), resize_scale(size, image.shape))


def _caption(
    sample: SegDataSample, agree: np.ndarray | None, number: int
) -> list[str]:
    """What the picture shows, in one or two lines of text."""
    meta = sample.metainfo
    figures = f'{number} correspondences'
    if agree is not None and number:
        # Beside what chance gives: one label everywhere always agrees.
        ids = int(torch.cat([sample.labels, sample.labels2]).max()) + 1
        chance = chance_agreement(sample.labels, sample.labels2, ids)
        figures = (
            f'agreement {agree.mean():.3f} = {agree.sum()} of {number} '
            f'correspondences, by chance {chance:.3f}'
        )
    if 'num_clusters' in meta:
        figures += f', K = {meta["num_clusters"]}'
    if 'img_path' not in meta or 'img_path2' not in meta:
        return [figures]
    names = [
        '/'.join(path.replace('\\', '/').split('/')[-2:])
        for path in (meta['img_path'], meta['img_path2'])
    ]
    return [figures, f'{osp.normpath(names[0])}   |   {names[1]}']
