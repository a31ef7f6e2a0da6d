"""What comes in: pairs of images, single images, and their annotations."""

from .correspondence import (
    CMUCorrespondenceDataset,
    CorrespondenceDataset,
    RobotCarCorrespondenceDataset,
)
from .cross_season import CMUSeasonsDataset, RobotCarSeasonsDataset
from .homography_pair import HomographyPairDataset
from .pair_file import read_pair_file, write_pair_file
from .reference import ReferenceImageDataset
from .transforms import (
    LoadCorrespondences,
    LoadImagePair,
    PackPairInputs,
    RandomCropPair,
    RandomFlipPair,
    RandomHomographyPair,
    ResizeCropPair,
    ResizePair,
    StandardizePair,
)
from .vistas_cityscapes import VistasCityscapesDataset

__all__ = [
    'CMUCorrespondenceDataset',
    'CMUSeasonsDataset',
    'CorrespondenceDataset',
    'HomographyPairDataset',
    'LoadCorrespondences',
    'LoadImagePair',
    'PackPairInputs',
    'RandomCropPair',
    'RandomFlipPair',
    'RandomHomographyPair',
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
