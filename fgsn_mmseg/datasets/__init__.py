"""What comes in: pairs of images, single images, and their annotations."""

from .correspondence import (
    CMUCorrespondenceDataset,
    CorrespondenceDataset,
    RobotCarCorrespondenceDataset,
)
from .cross_season import CMUSeasonsDataset, RobotCarSeasonsDataset
from .homography_pair import HomographyPairDataset
from .image_file import list_images, read_image, write_image
from .label_map_file import label_map_path, read_label_map, write_label_map
from .label_maps import LabelMapDataset
from .name_list import read_names
from .pair_file import read_pair_file, write_pair_file
from .palette import cluster_palette
from .reference import ReferenceImageDataset
from .transforms import (
    LoadCorrespondences,
    LoadImagePair,
    LoadLabelMap,
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
    'LabelMapDataset',
    'LoadCorrespondences',
    'LoadImagePair',
    'LoadLabelMap',
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
    'cluster_palette',
    'label_map_path',
    'list_images',
    'read_image',
    'read_label_map',
    'read_names',
    'read_pair_file',
    'write_image',
    'write_label_map',
    'write_pair_file',
]
