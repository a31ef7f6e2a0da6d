"""Configs that a page tells a user to write load, and read what they say."""

from __future__ import annotations

import pytest
from blocks import PAGES, REPO, blocks_of
from mmengine import Config

LOADERS = ('train', 'val', 'test', 'reference')
CONFIGS = [
    block
    for page in PAGES
    for block in blocks_of(page)
    if block.marker == 'file' and '_base_ =' in block.text
]


def load(text, folder, name):
    path = folder / name
    path.write_text(text)
    return Config.fromfile(path, import_custom_modules=False)


def data_roots(config):
    return {config[f'{name}_dataloader'].dataset.data_root for name in LOADERS}


@pytest.mark.parametrize('block', CONFIGS, ids=str)
def test_all_loaders_read_one_folder(block, tmp_path):
    config = load(block.text, tmp_path, block.value)
    assert len(data_roots(config)) == 1


def test_readme_reads_what_its_first_command_writes(tmp_path):
    page = REPO / 'README.md'
    (mine,) = [block for block in CONFIGS if block.page == page]
    config = load(mine.text, tmp_path, mine.value)
    assert data_roots(config) == {'data/mine'}
    (hook,) = config.custom_hooks
    assert hook.dataloader == config.reference_dataloader
    assert 'images_to_correspondences.py PHOTOS data/mine\n' in (
        page.read_text(encoding='utf-8')
    )


def test_photos_elsewhere(tmp_path):
    page = REPO / 'docs/datasets.md'
    (block,) = [block for block in CONFIGS if block.page == page]
    config = load(block.text, tmp_path, block.value)
    assert data_roots(config) == {'data/other'}
    assert config.reference_dataloader.dataset.type == 'ReferenceImageDataset'
