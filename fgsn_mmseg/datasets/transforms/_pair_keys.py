"""Which keys of a results dict belong to which image."""

from __future__ import annotations

import numpy as np

#: Suffixes of the keys of the reference and of the target image.
SUFFIXES = ('', '2')


def present_images(results: dict) -> list[str]:
    """Suffixes of the images in ``results``: [''], ['2'] or both.

    Raises:
        KeyError: There is no image.
    """
    suffixes = [s for s in SUFFIXES if results.get(f'img{s}') is not None]
    if not suffixes:
        raise KeyError(
            "`results` should have the key 'img', but got "
            f'{sorted(results)!r}. Put LoadImagePair earlier in the pipeline.'
        )
    return suffixes


def keep_points(results: dict, keep: np.ndarray) -> None:
    """Drop correspondences from all keys that hold them.

    Args:
        results (dict): Changed in place.
        keep (np.ndarray): (N,) bool.
    """
    for key in ('points', 'points2', 'point_weights'):
        if results.get(key) is not None:
            results[key] = results[key][keep]
