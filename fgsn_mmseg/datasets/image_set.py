from __future__ import annotations

import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmengine import Config
from mmengine.dataset import Compose
from torch.utils.data import Dataset

# What a pipeline of pairs or of annotated images does beyond the image.
_LEFT_OUT = ('LoadCorrespondences', 'LoadAnnotations', 'LoadLabelMap')
# Ours reads single images too: as stored, and with the path in its errors.
_READERS = ('LoadImagePair', 'LoadImageFromFile')


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
        if step['type'] in _READERS:
            steps.append(dict(type='LoadImagePair', **_reading(step)))
        elif step['type'] == 'PackPairInputs':
            # Its options are about pairs.
            steps.append(dict(type='PackSegInputs'))
        elif step['type'] not in _LEFT_OUT:
            steps.append(dict(step))
    return steps


def _reading(step: dict) -> dict:
    """How a step reads images, but for what is about pairs."""
    keys = ('to_float32', 'color_type', 'imdecode_backend', 'backend_args')
    return {key: step[key] for key in keys if step.get(key) is not None}


def pair_pipeline(pipeline: Sequence[Any]) -> list[Any]:
    """Make of a pipeline of single images the one of pairs.

    So a data set of pairs may have the ``test_pipeline`` of its config, which
    mmseg's ``MMSegInferencer`` looks for in the ``test_dataloader``.

    Args:
        pipeline: Begins with ``LoadImageFromFile``; others come back as they
            are.

    Returns:
        The pipeline of pairs.

    Raises:
        ValueError: A transform knows single images only.
    """
    types = [step.get('type') for step in pipeline if isinstance(step, dict)]
    if 'LoadImageFromFile' not in types:
        return list(pipeline)
    steps: list[Any] = [dict(type='LoadCorrespondences')]
    for step, kind in zip(pipeline, types):
        if kind == 'LoadImageFromFile':
            steps.append(dict(type='LoadImagePair'))
        elif kind == 'PackSegInputs':
            steps.append(dict(type='PackPairInputs'))
        elif not str(kind).endswith('Pair'):
            raise ValueError(
                '`pipeline` of pairs should hold transforms of pairs, but '
                f'got {kind!r} after LoadImageFromFile. Use ResizePair and '
                'the like, or begin with LoadCorrespondences.'
            )
        else:
            steps.append(step)
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
            return f'{path!r} should be an image that opens, but: {reason}'
        return sample
