"""Every block of code that a page tells a user to type is run."""

from __future__ import annotations

import re

import pytest
from blocks import PAGES, REPO, TUTORIALS, all_blocks, blocks_of
from worlds import PLACEHOLDERS, World

BLOCKS = all_blocks()
MARKERS = {None, 'not run', 'file', 'needs'}


def test_blocks_are_found():
    """As many as a search by eye of the fences, and their text is whole."""
    for page in PAGES:
        fences = re.findall(
            r'^ *```(?:bash|shell|sh|console|python)$',
            page.read_text(encoding='utf-8'),
            re.MULTILINE,
        )
        assert len(blocks_of(page)) == len(fences), page
    assert len(BLOCKS) > 20
    for block in BLOCKS:
        lines = block.page.read_text(encoding='utf-8').splitlines()
        assert lines[block.line - 1].strip() == f'```{block.language}'
        assert lines[block.line].strip() == block.text.splitlines()[0].strip()


@pytest.mark.parametrize('block', BLOCKS, ids=str)
def test_markers(block):
    assert block.marker in MARKERS, block
    if block.marker == 'needs':
        for name in block.value.split():
            assert hasattr(World, f'make_{name}'), (block, name)
    if block.marker == 'not run':
        assert len(block.value) > 10, 'say why'


@pytest.mark.parametrize('block', BLOCKS, ids=str)
def test_python_blocks_are_python(block):
    if block.language == 'python':
        text = block.text.replace('{{', '"').replace('}}', '"')
        compile(text, str(block), 'exec')


@pytest.mark.parametrize(
    'block',
    [
        block
        for block in BLOCKS
        if block.language != 'python' and block.page not in TUTORIALS
    ],
    ids=str,
)
def test_words_in_capitals_are_known(block):
    """A page says CONFIG; a word that no world knows would run as it is."""
    if block.marker == 'not run':
        return
    code = re.sub(r'#.*|"[^"]*"|\$\w+|\b[A-Z_]+=', '', block.text)
    words = set(re.findall(r'(?<![\w/.-])[A-Z]{2,}(?![\w/-])', code))
    assert words <= {name.split('.')[0] for name in PLACEHOLDERS}, block


PAGES_WITH_BLOCKS = [
    page
    for page in PAGES
    if page not in TUTORIALS
    and any(block.marker != 'not run' for block in blocks_of(page))
]


@pytest.mark.slow
@pytest.mark.parametrize(
    'page', PAGES_WITH_BLOCKS, ids=lambda page: str(page.relative_to(REPO))
)
def test_blocks_run(page, tmp_path):
    world = World(tmp_path)
    ran = 0
    for block in blocks_of(page):
        if block.marker == 'not run':
            continue
        done = world.run(block)
        assert done.returncode == 0, (
            f'{block}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}'
        )
        ran += 1
    assert ran
