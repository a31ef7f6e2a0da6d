from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

Curve = list[tuple[int, float]]
"""(iteration, value), by rising iteration."""


@dataclass
class TrainingLog:
    """Scalars of one training, runs that went on after a stop joined.

    Attributes:
        curves (dict): Name of a scalar -> its curve.
        clusterings (list): Iterations at which there was a clustering.
    """

    curves: dict[str, Curve] = field(default_factory=dict)
    clusterings: list[int] = field(default_factory=list)


def read_training_log(work_dir: str | os.PathLike) -> TrainingLog:
    """Read what mmengine's logger and the ClusteringHook left in a folder.

    That is ``<work_dir>/<time>/vis_data/scalars.json`` of every run and the
    names of ``<work_dir>/clustering_iter_*.h5``. Where a later run went over
    iterations again, its values count.

    Args:
        work_dir: Folder of the training.

    Returns:
        The scalars.

    Raises:
        FileNotFoundError: There is no such folder or no log in it.
        ValueError: A log is broken.
    """
    folder = Path(work_dir)
    files = sorted(folder.glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(
            '`work_dir` should be the folder of a training with '
            f'*/vis_data/scalars.json, but got {str(folder)!r} without any. '
            'LocalVisBackend writes it.'
        )
    curves: dict[str, dict[int, float]] = {}
    for path in files:
        rows = _read_rows(path)
        # Nothing was logged: nothing was gone over again. A validation at
        # `first` may be made up for, its iteration not.
        first = min((step for step, _ in rows), default=math.inf)
        for curve in curves.values():
            for step in [s for s in curve if s > first]:
                del curve[step]
        for step, row in rows:
            for name, value in row.items():
                curves.setdefault(name, {})[step] = value
    clusterings = set(curves.get('clustering/features', {}))
    for path in folder.glob('clustering_iter_*.h5'):
        found = re.fullmatch(r'clustering_iter_(\d+)', path.stem)
        if found:
            clusterings.add(int(found[1]))
    if not curves and not clusterings:
        raise ValueError(
            f'`work_dir` should hold a log of a training, but got '
            f'{str(folder)!r} with an empty one. Wait for the first line.'
        )
    return TrainingLog(
        {name: sorted(curve.items()) for name, curve in curves.items()},
        sorted(clusterings),
    )


def _read_rows(path: Path) -> list[tuple[int, dict[str, float]]]:
    """(iteration, scalars) of each line."""
    rows = []
    lines = path.read_text('utf-8', errors='replace').splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            step = int(row.pop('step'))
            row.pop('iter', None)
            values = {
                name: float(value)
                for name, value in row.items()
                if isinstance(value, (int, float))
            }
        except (
            ValueError,
            KeyError,
            AttributeError,
            TypeError,
            OverflowError,
            RecursionError,
        ) as error:
            if number == len(lines):
                break  # a run that was killed while it wrote
            raise ValueError(
                f'Line {number} of {path} should be a dict with "step" in '
                f'JSON, but got {line[:40]!r}.'
            ) from error
        rows.append((step, values))
    return rows
