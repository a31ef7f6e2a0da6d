from __future__ import annotations

import os.path as osp
from typing import Any

import mmengine
import numpy as np
from mmengine import Config
from mmengine.registry import init_default_scope

from fgsn_mmseg.datasets import LoadCorrespondences, LoadImagePair
from fgsn_mmseg.datasets.image_file import write_image
from fgsn_mmseg.engine.seeding import scoped_seed
from fgsn_mmseg.evaluation.labelling import build_pairs
from fgsn_mmseg.visualization import cluster_palette, draw_pair

SPLITS = ('train', 'val', 'test')


def browse_correspondences(
    config: Config,
    out_dir: str,
    split: str = 'train',
    number: int = 8,
    seed: int = 0,
    height: int = 360,
) -> list[str]:
    """Draw pairs with their matches, as they are and as the network gets them.

    Each picture has the two files with all their correspondences above, and
    below what the pipeline makes of them.

    Args:
        config: Config with pairs.
        out_dir: Folder to write to; it is made.
        split: Loader whose pairs are drawn: 'train', 'val' or 'test'.
            Defaults to 'train'.
        number: Pairs, spread evenly over the set. Defaults to 8.
        seed: Of the random transforms. Defaults to 0.
        height: Of each image in the picture, in pixels. Defaults to 360.

    Returns:
        Paths of the pictures.

    Raises:
        FileNotFoundError: The data set is not there.
        ValueError: The loader reads no pairs.
    """
    if split not in SPLITS:
        raise ValueError(f'`split` should be one of {SPLITS}, got {split!r}.')
    for name, value in (('number', number), ('height', height)):
        if value < 1:
            raise ValueError(
                f'`{name}` should be at least 1, but got {value!r}.'
            )
    init_default_scope(config.get('default_scope', 'mmseg'))
    dataset = build_pairs(config, split)
    mmengine.mkdir_or_exist(out_dir)
    chosen = np.linspace(0, len(dataset) - 1, min(number, len(dataset)))
    paths = []
    for index in mmengine.track_iter_progress(
        chosen.round().astype(int).tolist()
    ):
        picture, names = _draw(dataset, index, seed, height)
        path = osp.join(out_dir, f'{index:06d}_{names}.jpg')
        write_image(path, picture[..., ::-1])
        paths.append(path)
    return paths


def _draw(dataset: Any, index: int, seed: int, height: int) -> Any:
    """Picture (H, W, 3) RGB of one pair, and a name for it."""
    pair = LoadCorrespondences()(dataset.get_data_info(index))
    pair = LoadImagePair()(pair)
    with scoped_seed(seed + index):
        sample = dataset[index]
    images = [_rgb(sample['inputs'][key]) for key in ('img', 'img2')]
    after = sample['data_samples']
    palette = cluster_palette(1)
    names = [osp.basename(pair[key]) for key in ('img_path', 'img_path2')]
    parts = [
        draw_pair(
            [pair[key][..., ::-1] for key in ('img', 'img2')],
            [pair['points'], pair['points2']],
            palette,
            caption=[
                f'{len(pair["points"])} correspondences in the files, '
                f'{_size(pair["img"])} and {_size(pair["img2"])}',
                f'{names[0]}   |   {names[1]}',
            ],
            height=height,
        ),
        draw_pair(
            images,
            [after.points.numpy(), after.points2.numpy()],
            palette,
            caption=[
                f'{len(after.points)} after the pipeline, '
                f'{_size(images[0])} and {_size(images[1])}'
            ],
            height=height,
        ),
    ]
    stems = [osp.splitext(name)[0] for name in names]
    return _stack(parts), '--'.join(stems)


def _rgb(image: Any) -> np.ndarray:
    """A tensor (3, H, W) BGR as (H, W, 3) uint8 RGB."""
    pixels = image.numpy()[::-1].transpose(1, 2, 0)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _size(image: np.ndarray) -> str:
    return f'{image.shape[1]} x {image.shape[0]}'


def _stack(parts: list[np.ndarray]) -> np.ndarray:
    """Pictures below each other, padded on the right to one width."""
    width = max(part.shape[1] for part in parts)
    return np.vstack(
        [np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0))) for p in parts]
    )
