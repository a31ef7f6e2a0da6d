from __future__ import annotations

import os
import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmengine import Config
from mmengine.dataset import Compose
from torch.utils.data import Dataset

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.ppm', '.tif', '.tiff')
# What a pipeline of pairs or of annotated images does beyond the image.
_LEFT_OUT = ('LoadCorrespondences', 'LoadAnnotations')
_REPLACED = {
    'LoadImagePair': 'LoadImageFromFile',
    'PackPairInputs': 'PackSegInputs',
}


def list_images(folder: str) -> list[str]:
    """Find all images of a folder, recursively.

    Args:
        folder: Folder to look into.

    Returns:
        Paths relative to the folder, forward slashes, sorted.

    Raises:
        FileNotFoundError: There is no such folder, or no image in it.
    """
    if not osp.isdir(folder):
        raise FileNotFoundError(
            f'`images` should be a folder of images, but got {folder!r}, '
            'which is not there.'
        )
    names = []
    for place, _, files in os.walk(folder, followlinks=True):
        for name in files:
            if name.lower().endswith(IMAGE_SUFFIXES):
                path = osp.relpath(osp.join(place, name), folder)
                names.append(path.replace(os.sep, '/'))
    if not names:
        raise FileNotFoundError(
            f'`images` should be a folder of images, but got {folder!r} '
            f'without any file that ends in one of {IMAGE_SUFFIXES}.'
        )
    return sorted(names)


def image_pipeline(config: Config) -> list[dict]:
    """Find out how a config prepares a single image.

    That is its ``test_pipeline``, as mmseg's ``inference_model`` has it. Where
    there is none, the pipeline of ``test_dataloader``: resizing,
    standardizing and so on stay as they are; what reads correspondences or
    annotations is left out.

    Args:
        config: Config of a training or a test.

    Returns:
        Configs of the transforms.

    Raises:
        ValueError: The config says nothing about tests.
    """
    pipeline = config.get('test_pipeline')
    if pipeline is None and config.get('test_dataloader'):
        dataset = config.test_dataloader.dataset
        while 'pipeline' not in dataset:
            dataset = dataset.get('dataset') or dataset['datasets'][0]
        pipeline = dataset['pipeline']
    if pipeline is None:
        raise ValueError(
            '`test_pipeline` should be in the config, for it says how images '
            'are prepared, but got neither it nor `test_dataloader`.'
        )
    steps = []
    for step in pipeline:
        if step['type'] in _REPLACED:
            # The options of the others are about pairs.
            steps.append(dict(type=_REPLACED[step['type']]))
        elif step['type'] not in _LEFT_OUT:
            steps.append(dict(step))
    return steps


class ImageSet(Dataset):
    """Images of a folder, each through a pipeline.

    Args:
        folder: Folder of the images.
        names: Paths relative to it.
        pipeline: Configs of the transforms.
    """

    def __init__(
        self, folder: str, names: Sequence[str], pipeline: Sequence[dict]
    ) -> None:
        self.folder = folder
        self.names = list(names)
        self.pipeline = Compose(list(pipeline))

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict | str:
        """The sample, or why there is none: one bad file stops no job."""
        path = osp.join(self.folder, self.names[index])
        try:
            sample: Any = self.pipeline(dict(img_path=path))
        except Exception as error:
            reason = ' '.join(str(error).split()) or type(error).__name__
            return f'{path} should be an image that opens, but: {reason}'
        return sample
