"""``python -m fgsn_mmseg TOOL ARGS``: a tool of mmseg, with this plugin.

The plugin is imported first: the tool then runs with mmcv-lite, knows the
types of this package and reads ``_base_ = ['fgsn_mmseg::...']``.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path


def find_tools() -> dict[str, Path]:
    """Find what lies under ``.mim/tools`` of mmseg and of this package.

    Returns:
        Name without suffix -> script. Where a name is there twice, the first
        one in the order of paths counts, and mmseg's before ours.
    """
    tools: dict[str, Path] = {}
    for package in ('mmseg', 'fgsn_mmseg'):
        spec = importlib.util.find_spec(package)
        assert spec is not None and spec.origin is not None
        folder = Path(spec.origin).parent / '.mim' / 'tools'
        for path in [*sorted(folder.glob('*.py')), *folder.glob('*/*.py')]:
            tools.setdefault(path.stem, path)
    return tools


def main(arguments: list[str]) -> None:
    """Run one tool as ``python TOOL.py ARGS`` does, or list them all."""
    tools = find_tools()
    names = ', '.join(sorted(tools))
    if not arguments or arguments[0] in ('-h', '--help'):
        sys.stdout.write(f'python -m fgsn_mmseg TOOL ARGS; TOOL: {names}\n')
        return
    name, *rest = arguments
    if name not in tools:
        sys.exit(f'`TOOL` should be one of {names}, but got {name!r}.')
    script = str(tools[name])
    sys.argv = [script, *rest]
    runpy.run_path(script, run_name='__main__')


if __name__ == '__main__':
    main(sys.argv[1:])
