"""What became of images whose poses were looked for."""

from __future__ import annotations

import csv
import os
import os.path as osp
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .hloc_lists import Poses, write_poses
from .recall import pose_recall

POSES = 'poses.txt'
DIAGNOSTICS = 'diagnostics.csv'


@dataclass
class PosesReport:
    """What was found. An image has a pose, or a reason why it has none.

    Attributes:
        poses: By name.
        failed: Why, by the name of each image without a pose.
        marked: What is to be known of a pose, by its name: that it is not
            to be trusted, or that labels had no say.
    """

    poses: Poses = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    marked: dict[str, str] = field(default_factory=dict)

    def write(
        self, out: str | os.PathLike, rows: Iterable[Sequence[Any]]
    ) -> None:
        """Write ``poses.txt`` and ``diagnostics.csv``.

        Args:
            out: Folder, made if it is not there.
            rows: Of the diagnostics, the header first.
        """
        os.makedirs(out, exist_ok=True)
        write_poses(osp.join(out, POSES), self.poses)
        with open(osp.join(out, DIAGNOSTICS), 'w', newline='') as file:
            csv.writer(file).writerows(rows)

    def lines(
        self, out: str | os.PathLike, truth: Poses | None = None
    ) -> list[str]:
        """Return it in words.

        Args:
            out: Folder that it was written to.
            truth: True poses; recall is told.
        """
        count = len(self.poses) + len(self.failed)
        return [
            f'{len(self.poses)} of {count} images have a pose; written to '
            f'{os.fspath(out)}',
            *(
                f'no pose of {name}: {why}'
                for name, why in self.failed.items()
            ),
            *(f'marked: {name}: {note}' for name, note in self.marked.items()),
            *(pose_recall(self.poses, truth).lines() if truth else ()),
        ]
