from __future__ import annotations

import os
from importlib import metadata
from importlib.util import find_spec

import torch
from mmengine.utils.dl_utils import collect_env

from fgsn_mmseg.compat import FAMILIES
from fgsn_mmseg.version import __version__

# What this package calls beside the families of mm* packages; the last two
# are optional.
_LIBRARIES = ('numpy', 'scipy', 'faiss-cpu', 'h5py', 'pycolmap', 'poselib')


def environment() -> dict[str, str]:
    """What a report of a fault has to say about the machine.

    Returns:
        mmengine's ``collect_env`` (system, Python, GPUs, compilers, PyTorch,
        OpenCV), then this package, the distribution and version of each mm*
        package, whether mmcv's compiled operators are there, the libraries
        below, cores and threads.
    """
    told = {name: str(value) for name, value in collect_env().items()}
    told['fgsn-mmseg'] = __version__
    for packages in FAMILIES.values():
        for _, distributions in packages.values():
            for name in distributions:
                version = _version(name)
                if version:
                    told[name] = version
    compiled = find_spec('mmcv._ext') is not None
    told['mmcv.ops'] = 'compiled' if compiled else 'stand-in, not compiled'
    for name in _LIBRARIES:
        told[name] = _version(name) or 'not installed'
    told['cores'] = str(os.cpu_count())
    told['torch threads'] = str(torch.get_num_threads())
    return told


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
