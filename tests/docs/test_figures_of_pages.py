"""A figure in the README stands in a file that a script wrote.

``<!-- figures: projects/town/results.md -->`` above a table names the file.
What measures something, anywhere in the README, has to stand in one of them.
"""

from __future__ import annotations

import re

import pytest
from blocks import PAGES, REPO

MARKED = re.compile(
    r'^<!-- figures: (?P<file>\S+) -->\n\n(?P<table>(?:\|.*\n)+)', re.MULTILINE
)
# 0.123, 1,000 and 42 alike; neither `K = 20` as a name nor versions.
NUMBER = re.compile(r'(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w.]*\w)')
README = REPO / 'README.md'
TABLES = [
    (page, match)
    for page in PAGES
    for match in MARKED.finditer(page.read_text(encoding='utf-8'))
]


def numbers(text):
    return {x.replace(',', '').rstrip('.') for x in NUMBER.findall(text)}


def _source(match):
    return (REPO / match['file']).read_text(encoding='utf-8')


def test_numbers():
    found = numbers('| 1,000 | **1.543** | c20-x | 0.5, 7 | v1.2.3 | -0.25 |')
    assert found == {'1000', '1.543', '0.5', '7', '0.25'}


@pytest.mark.parametrize(
    ('page', 'match'), TABLES, ids=lambda x: getattr(x, 'stem', '')
)
def test_tables_are_of_their_file(page, match):
    source = _source(match)
    assert re.search('[Ww]ritten by `', source), 'no script wrote it'
    # K stands in `K = 1000` and in names, all else in a cell of its own.
    known = numbers(source) | set(re.findall(r'(?<=\bc)\d+', source))
    found = numbers(match['table'])
    assert len(found) > 5
    assert found <= known, found - known


def test_readme_measures_nothing_of_its_own():
    """Every decimal of its text stands in a file that a table names."""
    text = README.read_text(encoding='utf-8')
    text = re.sub(r'^```.*?^```$', '', text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r'\]\([^)]*\)|Python \d\.\d+|Apache-2\.0', '', text)
    tables = list(MARKED.finditer(README.read_text(encoding='utf-8')))
    assert len(tables) >= 1
    known = set().union(*(numbers(_source(match)) for match in tables))
    figures = {x for x in numbers(text) if '.' in x}
    assert len(figures) > 5
    assert figures <= known, figures - known
