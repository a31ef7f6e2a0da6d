from __future__ import annotations

from typing import Any

import cv2
from mmengine.dataset import BaseDataset

# PIL raises the first three, OpenCV its own; mmcv asserts.
_OF_FILES = (OSError, SyntaxError, ValueError, cv2.error, AssertionError)


class NamedErrors(BaseDataset):
    """A data set whose errors say which image they are about.

    mmseg's loading steps leave the path out where a file is empty or broken.
    """

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on a sample.

        Raises:
            ValueError: A file of the sample is broken.
        """
        try:
            return super().prepare_data(idx)
        except _OF_FILES as error:
            info = self.get_data_info(idx)
            paths = [info.get('img_path'), info.get('seg_map_path')]
            reason = ' '.join(str(error).split())
            raise ValueError(
                '`img_path` and `seg_map_path` should be an image and its '
                f'labels, but got {" and ".join(repr(p) for p in paths if p)}'
                f': {reason}. Fetch the files again.'
            ) from error
