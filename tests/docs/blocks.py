"""The code blocks of the pages, and what their markers say.

A user is told to type what stands in a block of bash or python. A comment
above a block may say how the tests treat it:

    <!-- not run: why -->
    <!-- file: name.py -->          a file that the user writes
    <!-- needs: trained photo -->   miniatures, see `worlds.py`

Every other block runs as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PAGES = [
    REPO / 'README.md',
    REPO / 'CONTRIBUTING.md',
    *sorted((REPO / 'docs').rglob('[!_]*.md')),
    *sorted((REPO / 'configs').rglob('README.md')),
    *sorted((REPO / 'projects').rglob('*.md')),
]
# Notebooks: run as such, not block by block.
TUTORIALS = [
    path
    for path in sorted((REPO / 'docs/tutorials').glob('*.md'))
    if path.stem != 'index'
]
LANGUAGES = ('bash', 'shell', 'sh', 'console', 'python')
_BLOCK = re.compile(
    r'(?:^ *<!-- (?P<marker>[\w ]+): (?P<value>(?:(?!-->).)*?) -->\n\s*)?'
    r'^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block that a user is told to type."""

    page: Path
    line: int
    language: str
    text: str
    marker: str | None
    value: str

    def __str__(self) -> str:
        return f'{self.page.relative_to(REPO)}:{self.line}'


def blocks_of(page: Path) -> list[Block]:
    """All blocks of bash and python of a page, in their order."""
    text = page.read_text(encoding='utf-8')
    found = []
    for match in _BLOCK.finditer(text):
        if match['language'] not in LANGUAGES:
            continue
        indent = re.compile(f'^{match["indent"]}', re.MULTILINE)
        found.append(
            Block(
                page,
                text.count('\n', 0, match.start('language')) + 1,
                match['language'],
                indent.sub('', match['text']),
                match['marker'],
                ' '.join((match['value'] or '').split()),
            )
        )
    return found


def all_blocks() -> list[Block]:
    return [block for page in PAGES for block in blocks_of(page)]
