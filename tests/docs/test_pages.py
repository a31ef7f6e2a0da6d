"""What the pages and the model index name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from blocks import PAGES, REPO

EXPERIMENTS = sorted(
    path.name for path in (REPO / 'configs/fgsn').glob('*_r101-d8*_pspnet_*')
)


def test_one_page_each():
    names = {page.stem for page in (REPO / 'docs').glob('*.md')}
    assert names >= {
        'authors_release',
        'datasets',
        'deviations',
        'evaluation',
        'install',
        'reproducing',
        'tools',
        'training',
    }


def _without_code(page):
    text = page.read_text(encoding='utf-8')
    return re.sub(r'^ *```.*?^ *```$', '', text, flags=re.DOTALL | re.M)


def _anchors(page):
    """Of the headings, as GitHub and the site make them."""
    found = set()
    for title in re.findall(r'^#+ (.+)$', _without_code(page), re.MULTILINE):
        title = re.sub(r'[^\w\- ]', '', title.lower())
        found.add(title.strip().replace(' ', '-'))
    return found


@pytest.mark.parametrize(
    'page', PAGES, ids=lambda page: str(page.relative_to(REPO))
)
def test_links_and_paths_lead_somewhere(page):
    text = _without_code(page)
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if re.match(r'\w+:', target):
            continue
        path, _, anchor = target.partition('#')
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        if anchor:
            assert anchor in _anchors(other), target
    for path in re.findall(r'(?<![\w/$])(?:tools|configs)/[\w/.-]+\.py', text):
        assert (REPO / path).is_file(), path


def test_anchors_are_those_of_github(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(
        '# A Town, in 6!\n```bash\n# no title\n```\n## `a_b`-c d\n'
    )
    assert _anchors(page) == {'a-town-in-6', 'a_b-c-d'}


@pytest.mark.parametrize(
    'page', ['docs/model_zoo.md', 'configs/fgsn/README.md']
)
def test_tables_list_every_experiment(page):
    text = (REPO / page).read_text(encoding='utf-8')
    missing = [name for name in EXPERIMENTS if f'{name})' not in text]
    assert EXPERIMENTS and not missing


def test_tools_that_are_described_are_there():
    text = (REPO / 'docs/tools.md').read_text(encoding='utf-8')
    folder = None
    found = 0
    for line in text.splitlines():
        title = re.match(r'\| `(tools/\w+/)`', line)
        folder = title[1] if title else folder
        row = re.match(r'\| `(\w+\.py)', line)
        if row:
            assert (REPO / folder / row[1]).is_file(), line
            found += 1
    assert found >= 10


def test_model_index():
    """OpenMMLab's schema: a list of metafiles of collections and models."""
    index = yaml.safe_load((REPO / 'model-index.yml').read_text())
    (metafile,) = index['Import']
    content = yaml.safe_load((REPO / metafile).read_text())
    (collection,) = content['Collections']
    assert set(collection) >= {'Name', 'License', 'Metadata', 'Paper'}
    assert collection['Paper']['URL'].endswith('1908.06387')
    assert (REPO / collection['README']).is_file()
    names = [model['Name'] for model in content['Models']]
    assert sorted(f'{name}.py' for name in names) == EXPERIMENTS
    for model in content['Models']:
        assert model['In Collection'] == collection['Name']
        assert (REPO / model['Config']).is_file()
        assert Path(model['Config']).stem == model['Name']
        assert model['Metadata']['Training Data']
        # None was trained to the end.
        assert 'Weights' not in model and 'Results' not in model
