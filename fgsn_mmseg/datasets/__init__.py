"""What comes in: pairs of images, single images, and their annotations."""

from .correspondence import (
    CMUCorrespondenceDataset,
    CorrespondenceDataset,
    RobotCarCorrespondenceDataset,
)
from .cross_season import CMUSeasonsDataset, RobotCarSeasonsDataset
from .pair_file import read_pair_file, write_pair_file
from .reference import ReferenceImageDataset
from .transforms import (
    LoadCorrespondences,
    LoadImagePair,
    PackPairInputs,
    RandomCropPair,
    RandomFlipPair,
    ResizeCropPair,
    ResizePair,
    StandardizePair,
)
from .vistas_cityscapes import VistasCityscapesDataset

__all__ = [
    'CMUCorrespondenceDataset',
    'CMUSeasonsDataset',
    'CorrespondenceDataset',
    'LoadCorrespondences',
    'LoadImagePair',
    'PackPairInputs',
    'RandomCropPair',
    'RandomFlipPair',
    'ReferenceImageDataset',
    'ResizeCropPair',
    'ResizePair',
    'RobotCarCorrespondenceDataset',
    'RobotCarSeasonsDataset',
    'StandardizePair',
    'VistasCityscapesDataset',
    'read_pair_file',
    'write_pair_file',
]
