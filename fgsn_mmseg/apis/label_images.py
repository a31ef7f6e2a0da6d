from __future__ import annotations

import os.path as osp
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import mmengine
import numpy as np
import torch
from torch.utils.data import DataLoader

from fgsn_mmseg.datasets import (
    cluster_palette,
    list_images,
    write_label_map,
)
from fgsn_mmseg.datasets.image_file import read_image, write_image
from fgsn_mmseg.datasets.image_set import ImageSet, image_pipeline
from fgsn_mmseg.visualization import blend_label_map

PREVIEW_ALPHA = 0.6


@dataclass
class LabelingReport:
    """What a run of :func:`label_images` did.

    Attributes:
        found: Images in the folder.
        skipped: Of this process's share, images that had their map already.
        written: Maps written now.
        failed: One text for each image that could not be read or labelled.
    """

    found: int
    skipped: int = 0
    written: int = 0
    failed: list[str] = field(default_factory=list)


def label_images(
    model: Any,
    images: str,
    out_dir: str,
    preview_dir: str | None = None,
    batch_size: int = 1,
    num_workers: int = 2,
    overwrite: bool = False,
    share: tuple[int, int] = (0, 1),
) -> LabelingReport:
    """Label every image of a folder, recursively.

    Writes ``<out_dir>/<same relative path>.png``, 16 bits, at the size of
    the image. An image whose map is there is skipped, so a run that was
    stopped goes on. Consecutive images of one size run together, and so do
    their windows.

    Args:
        model: From :func:`~fgsn_mmseg.apis.load_segmentor`; the test
            pipeline of its config prepares the images.
        images: Folder of the images.
        out_dir: Folder of the label maps.
        preview_dir: Folder for photos with the labels in colours over them,
            as JPEG. Defaults to None, no previews.
        batch_size: Images that run together at most. Defaults to 1.
        num_workers: Processes that read images; 0 reads here. Defaults to 2.
        overwrite: Label images again that have a map. Defaults to False.
        share: (rank, number) of the processes among which the images are
            divided. Defaults to (0, 1), all of them.

    Returns:
        What was done.

    Raises:
        FileNotFoundError: There are no images.
        ValueError: A result would take the place of an image or of another
            result.
    """
    if batch_size < 1:
        raise ValueError(
            f'`batch_size` should be at least 1, but got {batch_size!r}.'
        )
    names = list_images(images)
    _check_targets(images, names, (out_dir, preview_dir))
    report = LabelingReport(found=len(names))
    own = names[share[0] :: share[1]]
    todo = []
    for name in own:
        targets = [_target(out_dir, name, '.png')]
        if preview_dir is not None:
            targets.append(_target(preview_dir, name, '.jpg'))
        if overwrite or not all(map(_is_done, targets)):
            todo.append(name)
    report.skipped = len(own) - len(todo)
    if not todo:
        return report
    loader = DataLoader(
        ImageSet(images, todo, image_pipeline(model.cfg)),
        batch_size=None,
        num_workers=num_workers,
    )
    palette = cluster_palette(model.out_channels)
    bar = mmengine.ProgressBar(len(todo))
    for batch in _batches(zip(todo, loader), batch_size, report, bar):
        for name, labels in _label(model, batch, report):
            write_label_map(_target(out_dir, name, '.png'), labels)
            if preview_dir is not None:
                write_preview(
                    osp.join(images, name),
                    _target(preview_dir, name, '.jpg'),
                    labels,
                    palette,
                )
            report.written += 1
        bar.update(len(batch))
    bar.file.write('\n')
    return report


def write_preview(
    image: str, target: str, labels: np.ndarray, palette: np.ndarray
) -> None:
    """Lay the labels over a photo.

    Args:
        image: Path of the photo.
        target: File to write; its folder is made.
        labels: (H, W) cluster ids.
        palette: (K, 3) uint8 RGB.
    """
    photo = read_image(image)[..., ::-1]
    drawn = blend_label_map(photo, labels, palette, PREVIEW_ALPHA)
    write_image(target, drawn[..., ::-1])


def _is_done(path: str) -> bool:
    """Whether a result is there; a full disk may have left an empty one."""
    return osp.isfile(path) and osp.getsize(path) > 0


def _target(folder: str, name: str, suffix: str) -> str:
    """Where what is made of an image goes."""
    return osp.join(folder, osp.splitext(name)[0] + suffix)


def _check_targets(
    images: str, names: Sequence[str], folders: Sequence[str | None]
) -> None:
    """Nothing may be written over an image, nor two results to one file."""
    root = osp.realpath(images)
    for folder in folders:
        place = osp.realpath(folder or osp.join(root, osp.pardir))
        if osp.commonpath([root, place]) == root:
            raise ValueError(
                f'`out_dir` should not lie in the folder of the images, but '
                f'got {folder!r}. Results there would count as images.'
            )
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(osp.splitext(name)[0], name)
        if other != name:
            raise ValueError(
                '`images` should keep images apart by more than their '
                f'extension, but got {other} and {name}. Rename one.'
            )


def _batches(
    samples: Any, batch_size: int, report: LabelingReport, bar: Any
) -> Iterator[dict[str, dict]]:
    """Consecutive samples of one size; notes those that failed."""
    batch: dict[str, dict] = {}
    size = None
    for name, sample in samples:
        if isinstance(sample, str):
            report.failed.append(sample)
            bar.update()
            continue
        if batch and (
            len(batch) == batch_size or sample['inputs'].shape != size
        ):
            yield batch
            batch = {}
        batch[name] = sample
        size = sample['inputs'].shape
    if batch:
        yield batch


def _label(
    model: Any, batch: dict[str, dict], report: LabelingReport
) -> list[tuple[str, np.ndarray]]:
    """Names and label maps of a batch; notes what asks for too much memory."""
    try:
        return list(zip(batch, _predict(model, batch)))
    except (RuntimeError, MemoryError) as error:
        if len(batch) == 1:
            name = next(iter(batch))
            shape = tuple(batch[name]['inputs'].shape[-2:])
            reason = ' '.join(str(error).split()) or type(error).__name__
            report.failed.append(
                f'{name!r} should be an image that can be labelled, but at '
                f'{shape} pixels: {reason[:300]}'
            )
            return []
    parts = ({name: sample} for name, sample in batch.items())
    return [done for part in parts for done in _label(model, part, report)]


@torch.no_grad()
def _predict(model: Any, batch: dict[str, dict]) -> list[np.ndarray]:
    """Label maps (H, W) of images of one size."""
    samples = list(batch.values())
    done = model.test_step(
        dict(
            inputs=[sample['inputs'] for sample in samples],
            data_samples=[sample['data_samples'] for sample in samples],
        )
    )
    return [one.pred_sem_seg.data[0].cpu().numpy() for one in done]
