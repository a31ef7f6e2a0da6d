"""The two packages of the extra ``[localization]``, imported when needed."""

from __future__ import annotations

import importlib
from typing import Any

# Loaded before pycolmap: in the other order cv2.imwrite of a PNG aborts the
# process (two copies of zlib; pycolmap 4.2.1, opencv-python 5.0).
import cv2  # noqa: F401


def require(name: str) -> Any:
    """Import an optional package, or say how to install it.

    Args:
        name: ``'pycolmap'`` or ``'poselib'``.

    Returns:
        The module.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f'`{name}` should be installed for this, but it is not '
            f"({error}). pip install 'fgsn-mmseg[localization]'"
        ) from error
