"""Miniatures of what a page takes for granted: data, networks, photos.

A world is a folder that looks like a checkout with data in it. Full-size
configs are there under their names, at a size that trains in seconds.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from blocks import REPO, Block
from miniature_training import tiny_config, tiny_network
from miniature_trees import make_cityscapes, make_seasons, make_vistas
from tiny_runs import PAIRS, make_pairs

# What a page calls by a word in capitals -> what it is in a world.
PLACEHOLDERS = {
    'CONFIG': 'config.py',
    'CHECKPOINT': 'checkpoint.pth',
    'IMAGES': 'photos',
    'PHOTOS': 'own_photos',
    'OUT': 'out',
    'SEEN': 'seen',
    'RUN': 'config',
}
PAPER = 'fgsn/fgsn-c100_r101-d8_pspnet_1xb1-60k_cmu-713x713'
# `python -m fgsn_mmseg train` of a world makes two iterations.
SHORT = (
    'train_cfg.max_iters=2 train_cfg.val_interval=2 '
    'default_hooks.checkpoint.interval=2 train_dataloader.num_workers=0 '
    'train_dataloader.persistent_workers=False'
)
PRELUDE = f"""
set -euo pipefail
python() {{
    if [[ "$*" == '-m fgsn_mmseg train'* ]]; then
        command python "$@" --cfg-options {SHORT}
    else
        command python "$@"
    fi
}}
"""


class World:
    """A folder in which the blocks of one page run, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ('tools', 'docs', 'projects', 'requirements'):
            if (REPO / name).exists():
                (folder / name).symlink_to(REPO / name)
        shutil.copytree(REPO / 'configs', folder / 'configs')
        self.have: set[str] = set()

    def need(self, names: str) -> None:
        """Make the miniatures of these names, each once."""
        for name in names.split():
            if name not in self.have:
                getattr(self, f'make_{name}')()
                self.have.add(name)

    def make_pairs(self) -> None:
        """data/sacre_coeur: five pairs, all of them in both lists."""
        root = make_pairs(self.folder / 'data/sacre_coeur', size=(150, 190))
        names = ''.join(f'{name}\n' for name, _, _ in PAIRS)
        for list_name in ('corr_train.txt', 'corr_val.txt'):
            (root / list_name).write_text(names)

    def make_seasons(self) -> None:
        """data/CMU and data/ROBOTCAR as they are published, no lists."""
        for name in ('CMU', 'ROBOTCAR'):
            make_seasons(self.folder / 'data', name)

    def make_streets(self) -> None:
        """data/cityscapes and data/vistas as they are published."""
        make_cityscapes(self.folder / 'data')
        make_vistas(self.folder / 'data')

    def make_lists(self) -> None:
        """The lists of data/CMU and data/ROBOTCAR."""
        self.need('seasons')
        tool = 'tools/dataset_converters/prepare_correspondences.py'
        for name in ('CMU', 'ROBOTCAR'):
            self.run_bash(f'python {tool} data/{name} --nproc 1')

    def make_network(self) -> None:
        """CONFIG and CHECKPOINT: the paper's network, tiny and random."""
        config, checkpoint = tiny_network(
            PAPER, self.folder, model__init_cfg=None
        )
        config.rename(self.folder / PLACEHOLDERS['CONFIG'])
        checkpoint.rename(self.folder / PLACEHOLDERS['CHECKPOINT'])

    def make_tiny(self) -> None:
        """The paper's test configs, at their places, as small."""
        for path in sorted((self.folder / 'configs/fgsn/test').glob('*.py')):
            tiny_config(f'fgsn/test/{path.stem}', path.parent)

    def make_label_maps(self) -> None:
        """Images whose maps another network is to learn."""
        self.need('photo')
        images = self.folder / 'data/label_maps/images'
        shutil.copytree(self.folder / 'photos', images)

    def make_photo(self) -> None:
        """photo.jpg, and three more in IMAGES."""
        rng = np.random.default_rng(0)
        (self.folder / 'photos').mkdir()
        for name in ('photo', 'photos/a', 'photos/b', 'photos/c'):
            pixels = rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)
            cv2.imwrite(str(self.folder / f'{name}.jpg'), pixels)

    def make_own_photos(self) -> None:
        """PHOTOS: two places, five photos each of a wall with a poster."""
        rng = np.random.default_rng(0)
        for place in ('east', 'west'):
            (self.folder / 'own_photos' / place).mkdir(parents=True)
            wall = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
            wall = cv2.resize(wall, (400, 300), interpolation=cv2.INTER_CUBIC)
            fine = rng.integers(0, 60, (300, 400, 3), dtype=np.uint8)
            wall = cv2.GaussianBlur(cv2.add(wall // 2, fine), (0, 0), 1.0)
            for i in range(5):
                move = np.array([[1, 0.02 * i, 7 * i], [0.01 * i, 1, 4 * i]])
                photo = cv2.warpAffine(wall, move, (400, 300))
                path = self.folder / f'own_photos/{place}/{i}.png'
                cv2.imwrite(str(path), photo)

    def run(self, block: Block) -> subprocess.CompletedProcess:
        """Run a block, or write it down where it is a file."""
        if block.marker == 'needs':
            self.need(block.value)
        text = block.text
        if block.marker == 'file':
            (self.folder / block.value).write_text(text)
            return subprocess.CompletedProcess([], 0, '', '')
        for word, name in PLACEHOLDERS.items():
            quoted = repr(name) if block.language == 'python' else name
            text = re.sub(rf'\b{word}\b', quoted, text)
        if block.language == 'python':
            (self.folder / 'block.py').write_text(text)
            text = 'python block.py'
        return self.run_bash(text)

    def run_bash(self, text: str) -> subprocess.CompletedProcess:
        paths = [str(REPO), os.environ.get('PYTHONPATH', '')]
        commands = [str(Path(sys.executable).parent), os.environ['PATH']]
        return subprocess.run(
            ['bash', '-c', PRELUDE + text],
            cwd=self.folder,
            env={
                **os.environ,
                'PATH': os.pathsep.join(commands),
                'PYTHONPATH': os.pathsep.join(filter(None, paths)),
                'OMP_NUM_THREADS': '1',
            },
            capture_output=True,
            text=True,
            timeout=900,
        )
