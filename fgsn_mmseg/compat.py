"""The few lines that make the mm* packages run on today's torch.

`prepare()` is called on ``import fgsn_mmseg``, before anything imports
``mmseg.models``; every function here may be called any number of times.
"""

from __future__ import annotations

import codecs
import importlib
import importlib.util
import pickle
import re
import sys
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from packaging.specifiers import SpecifierSet

# Family -> import name -> (versions, distributions that bring it). Both
# families install the same folders. The versions are those of pyproject.toml,
# checked here because no mm* package declares all that it needs, and mmseg
# 1.2 asserts on import that mmcv is older than 2.2.0.
FAMILIES: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    'openmmlab': {
        'mmengine': ('>=0.10.2,<1.0', ('mmengine', 'mmengine-lite')),
        'mmcv': ('>=2.1.0,<2.2.0', ('mmcv', 'mmcv-lite', 'mmcv-full')),
        'mmseg': ('>=1.2.2,<1.3', ('mmsegmentation',)),
    },
    'onedl': {
        'mmengine': ('>=0.10.12,<1.0', ('onedl-mmengine',)),
        'mmcv': ('>=2.3.6,<3.0', ('onedl-mmcv',)),
        'mmseg': ('>=1.4.2,<2.0', ('onedl-mmsegmentation',)),
    },
}
# Imported by mmseg, declared by nobody in the older family.
UNDECLARED = ('ftfy', 'regex')
INSTALL = {
    'openmmlab': '`pip install "fgsn-mmseg[lite]"` (or "fgsn-mmseg[full]", '
    'which compiles mmcv)',
    'onedl': '`pip install "fgsn-mmseg[onedl]"`',
}
INSTALL_ANY = (
    '`pip install "fgsn-mmseg[lite]"` (or "fgsn-mmseg[full]", which compiles '
    'mmcv, or "fgsn-mmseg[onedl]", the maintained line of these packages)'
)
# All that a HistoryBuffer pickles by `getattr`.
HISTORY_BUFFER_METHODS = ('mean', 'min', 'max', 'current')


def prepare() -> None:
    """Check the versions, then fill the gaps of what is installed.

    Raises:
        ImportError: If a package is missing or has a wrong version, or two
            families of packages are installed at once.
    """
    check_versions()
    install_mmcv_ops()
    allow_checkpoint_globals()
    name_config_packages()


def check_versions() -> None:
    """Check mmengine, mmcv, mmseg and what mmseg forgets to ask for.

    No package is imported for it: mmseg fails on import, with an error that
    names no remedy, where mmcv is missing or too new.

    Raises:
        ImportError: One sentence: each package that is missing or has a
            wrong version, or both families where two are installed, and the
            command that mends it.
    """
    recorded = {name: recorded_distributions(name) for name in FAMILIES}
    if all(recorded.values()):
        both = [name for names in recorded.values() for name in names]
        raise ImportError(
            '`mmengine`, `mmcv` and `mmseg` should come from one family of '
            f'packages, but got {", ".join(both)}, which overwrite each '
            f'other; run `pip uninstall -y {" ".join(both)}`, then '
            f'{INSTALL_ANY}.'
        )
    family = 'onedl' if recorded['onedl'] else 'openmmlab'
    problems, to_install, to_remove = [], [], []
    for name, (versions, distributions) in FAMILIES[family].items():
        version = installed_version(name)
        if version is None:
            problems.append(f'`{name}` should be {versions}, but is missing')
        elif not SpecifierSet(versions).contains(version, prereleases=True):
            problems.append(
                f'`{name}` should be {versions}, but got {version!r}'
            )
        else:
            continue
        to_install.append(f'"{distributions[0]}{versions}"')
        if version is None or name == 'mmcv':
            # pip takes for installed what is recorded, and removes neither
            # mmcv nor mmcv-lite for the other.
            to_remove += [x for x in distributions if x in recorded[family]]
    for name in UNDECLARED:
        if importlib.util.find_spec(name) is None:
            problems.append(f'`{name}` should be there, but is missing')
            to_install.append(name)
    if not problems:
        return
    command = f'`pip install {" ".join(to_install)}`'
    if '`mmcv` ' in ' '.join(problems):
        # The extra brings all else along. Not named where mmcv is in order:
        # it would overwrite a compiled mmcv.
        command = INSTALL[family] if any(recorded.values()) else INSTALL_ANY
    if to_remove:
        command = f'`pip uninstall -y {" ".join(to_remove)}`, then {command}'
    raise ImportError(f'{", ".join(problems)}; run {command}.')


def recorded_distributions(family: str) -> list[str]:
    """Name the distributions of a family that pip would call installed."""
    names = [
        name
        for _, distributions in FAMILIES[family].values()
        for name in distributions
    ]
    return [name for name in names if _recorded_version(name)]


def _recorded_version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def installed_version(package: str) -> str | None:
    """Read the version of a package without importing it.

    Args:
        package: Import name, one of `FAMILIES`.

    Returns:
        What its ``version.py`` says, or, where that holds no literal, what
        pip has recorded; None where the package is absent, or where only the
        rest of an uninstalled one is left (a folder without ``version.py``).
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))) / 'version.py'
    if not path.is_file():
        return None
    match = re.search(
        r'^__version__\s*=\s*[\'"]([^\'"]+)[\'"]',
        path.read_text(encoding='utf-8'),
        re.MULTILINE,
    )
    if match:
        return match.group(1)
    names = [name for f in FAMILIES.values() for name in f[package][1]]
    return next(filter(None, map(_recorded_version, names)), None)


def install_mmcv_ops() -> None:
    """Put a stand-in for ``mmcv.ops`` in place where none is compiled.

    mmseg's heads and losses import ``mmcv.ops`` unguarded; with mmcv-lite
    that import fails. Does nothing where compiled operators exist.
    """
    if 'mmcv.ops' in sys.modules:
        return
    if importlib.util.find_spec('mmcv._ext') is not None:
        return
    mmcv: Any = importlib.import_module('mmcv')
    ops = importlib.import_module('fgsn_mmseg.mmcv_ops')
    sys.modules['mmcv.ops'] = ops
    mmcv.ops = ops  # as the import system does for `import mmcv.ops`


def allow_checkpoint_globals() -> None:
    """Let ``torch.load`` read mmengine's checkpoints, protection left on.

    torch >= 2.6 loads with ``weights_only=True``, which refuses the log
    history that every mmengine checkpoint holds. Older torch has no such
    need: up to 2.3 there is no such call, and 2.4 and 2.5 do not understand
    pairs. See `load_checkpoint_file` for those.
    """
    if _torch_allows_pairs():
        # Pairs throughout: onedl-mmengine takes its own bare names from
        # torch's list after every load, and would take ours with them.
        pairs: list[Any] = [(v, k) for k, v in _checkpoint_globals().items()]
        torch.serialization.add_safe_globals(pairs)


def load_checkpoint_file(path: str) -> Any:
    """Load a checkpoint to the CPU without running what is in it.

    Args:
        path: File written by ``torch.save``.

    Returns:
        Its content.

    Raises:
        pickle.UnpicklingError: It asks for more than a checkpoint of
            mmengine holds.
    """
    if _torch_allows_pairs():
        return torch.load(path, map_location='cpu', weights_only=True)
    # ``weights_only=True`` of older torch has a fixed list, without the log
    # history; the same list with it, in an unpickler of our own.
    from torch._weights_only_unpickler import _get_allowed_globals

    allowed = {**_get_allowed_globals(), **_checkpoint_globals()}
    allowed['_codecs.encode'] = codecs.encode  # how pickle 2 writes bytes

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            key = f'{module}.{name}'.replace('__builtin__.', 'builtins.')
            if key not in allowed:
                raise pickle.UnpicklingError(
                    f'Unsupported global: GLOBAL {key}'
                )
            return allowed[key]

    protected: Any = ModuleType('protected_pickle')
    protected.Unpickler = Unpickler
    protected.load = lambda file, **kwargs: Unpickler(file, **kwargs).load()
    return torch.load(
        path, map_location='cpu', pickle_module=protected, weights_only=False
    )


def _torch_allows_pairs() -> bool:
    major, minor = torch.__version__.split('.')[:2]
    return (int(major), int(minor)) >= (2, 6)


def _checkpoint_globals() -> dict[str, Any]:
    """Name exactly what the log history in a checkpoint consists of."""
    from mmengine.logging import HistoryBuffer

    array = np.zeros(1)
    reconstruct, scalar = array.__reduce__()[0], array[0].__reduce__()[0]
    numbers = np.typecodes['AllInteger'] + np.typecodes['Float'] + '?'
    types = {HistoryBuffer, defaultdict, np.ndarray, np.dtype}
    types |= {type(np.dtype(code)) for code in numbers}
    allowed: dict[str, Any] = {
        f'{kind.__module__}.{kind.__qualname__}': kind for kind in types
    }
    allowed['builtins.getattr'] = _history_buffer_method
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        # The first is what numpy < 2 wrote, the second what numpy >= 2 writes.
        allowed[f'{module}._reconstruct'] = reconstruct
        allowed[f'{module}.scalar'] = scalar
    return allowed


def _history_buffer_method(owner: Any, name: Any) -> Any:
    """Serve in place of ``getattr`` while a checkpoint is read.

    HistoryBuffer pickles its methods, and pickle writes a method as a call
    of ``getattr``. The real one would open the door to any code.
    """
    from mmengine.logging import HistoryBuffer

    if owner is HistoryBuffer and name in HISTORY_BUFFER_METHODS:
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(
        f'`getattr` in a checkpoint should ask HistoryBuffer for one of '
        f'{HISTORY_BUFFER_METHODS}, but got {owner!r} and {name!r}. '
        'Do not load this file unless you trust its source.'
    )


def name_config_packages() -> None:
    """Let configs name bases of this package and of the onedl family.

    mmengine looks ``_base_ = ['mmseg::...']`` up in a public table, import
    name -> distribution, which knows no third package; that of onedl-mmengine
    still holds the names of the older family.
    """
    from mmengine.config.utils import MODULE2PACKAGE

    for module, distribution in MODULE2PACKAGE.items():
        if not distribution.startswith('onedl-') and _recorded_version(
            f'onedl-{distribution}'
        ):
            MODULE2PACKAGE[module] = f'onedl-{distribution}'
    # A module, not the distribution: mmengine then asks the import system for
    # its folder. Of an editable install it takes the distribution's location
    # for the package's, where nothing is.
    MODULE2PACKAGE['fgsn_mmseg'] = 'fgsn_mmseg.version'
