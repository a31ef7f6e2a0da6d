"""What the labels are for: finding cameras.

Solvers and models need the extra ``[localization]`` (pycolmap, poselib);
importing this room does not.
"""

from .cameras import check_camera, project
from .estimate import PoseEstimate, estimate_pose
from .likelihood import LabelLikelihood, count_label_pairs
from .poses import pose_error
from .solver import RansacOptions

__all__ = [
    'LabelLikelihood',
    'PoseEstimate',
    'RansacOptions',
    'check_camera',
    'count_label_pairs',
    'estimate_pose',
    'pose_error',
    'project',
]
