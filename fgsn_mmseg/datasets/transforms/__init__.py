from .load_correspondences import LoadCorrespondences
from .load_image_pair import LoadImagePair
from .load_label_map import LoadLabelMap
from .pack_pair_inputs import PackPairInputs
from .random_crop_pair import RandomCropPair
from .random_flip_pair import RandomFlipPair
from .random_homography_pair import RandomHomographyPair
from .resize_crop_pair import ResizeCropPair
from .resize_pair import ResizePair
from .standardize_pair import StandardizePair

__all__ = [
    'LoadCorrespondences',
    'LoadImagePair',
    'LoadLabelMap',
    'PackPairInputs',
    'RandomCropPair',
    'RandomFlipPair',
    'RandomHomographyPair',
    'ResizeCropPair',
    'ResizePair',
    'StandardizePair',
]
