"""What was measured, as a block of a Markdown file."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import faiss
import mmengine
import mmseg
import torch

import fgsn_mmseg

Cell = str | float | int | None


@dataclass
class Table:
    """Figures of one benchmark.

    Attributes:
        title (str): What was measured.
        columns (list[str]): Names of the columns, with units.
        rows (list[list]): Texts and numbers; None where there is none.
        notes (list[str]): Sentences below the table.
    """

    title: str
    columns: list[str]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def value(self, row: str, column: str | None = None) -> Cell:
        """A cell by the first cell of its row and its column's name."""
        index = 1 if column is None else self.columns.index(column)
        return next(r for r in self.rows if r[0] == row)[index]


def markdown(tables: Sequence[Table], device: str) -> str:
    """A section with the machine, the date, the versions and the tables."""
    lines = [f'## {machine(device)}, {datetime.date.today()}', '', versions()]
    for table in tables:
        lines += ['', f'### {table.title}', '']
        lines.append('| ' + ' | '.join(table.columns) + ' |')
        lines.append('| --- ' + '| ---: ' * (len(table.columns) - 1) + '|')
        for row in table.rows:
            lines.append('| ' + ' | '.join(map(_text, row)) + ' |')
        lines += ['', *table.notes] if table.notes else []
    return '\n'.join(lines) + '\n'


def machine(device: str) -> str:
    """Name of the device."""
    if torch.device(device).type == 'cuda':
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f'{_processor()}, {threads} of {os.cpu_count()} cores'


def _processor() -> str:
    try:
        with open('/proc/cpuinfo') as file:
            for line in file:
                if line.startswith('model name'):
                    return line.split(':', 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions() -> str:
    """One line of the versions that matter."""
    parts = [
        ('fgsn-mmseg', fgsn_mmseg.__version__),
        ('mmseg', mmseg.__version__),
        ('mmengine', mmengine.__version__),
        ('torch', torch.__version__),
        ('faiss', faiss.__version__),
        ('OpenCV', cv2.__version__),
        ('Python', platform.python_version()),
    ]
    return ', '.join(f'{name} {version}' for name, version in parts) + '.'


def _text(cell: Cell) -> str:
    """Three significant digits."""
    if cell is None:
        return '-'
    if isinstance(cell, float):
        return f'{cell:.0f}' if abs(cell) >= 100 else f'{cell:.3g}'
    return str(cell)
