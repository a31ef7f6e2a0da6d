"""The site: what is put into it, and that it builds without a warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml
from blocks import REPO

sys.path.insert(0, str(REPO / 'docs/_ext'))
import model_zoo
import site_pages


def test_model_zoo_is_that_of_the_configs():
    """It is written by a script; a new config asks for a new page."""
    page = model_zoo.PAGE.read_text(encoding='utf-8')
    assert page == model_zoo.zoo(), 'run `python docs/_ext/model_zoo.py`'
    for folder in ('configs/fgsn', 'configs/base', 'configs/distillation'):
        for path in (REPO / folder).rglob('*.py'):
            assert f'/{path.name})' in page, path
    index = yaml.safe_load(model_zoo.METAFILE.read_text())['Models']
    assert all(f'[{model["Name"]}]' in page for model in index)


@pytest.mark.parametrize(
    ('name', 'cells'),
    [
        (
            'fgsn-c1000_r101-d8-in1k-pre_pspnet_1xb1-60k_cmu-713x713',
            ('1000', 'CMU', 'ImageNet', ''),
        ),
        (
            'fgsn-c20_r101-d8_pspnet_4xb1-hinge-amp-30k_cmu-robotcar-713x713',
            (
                '20',
                'CMU',
                'Cityscapes and Vistas',
                'feature hinge, mixed precision, four GPUs',
            ),
        ),
    ],
)
def test_what_a_name_says(name, cells):
    path = REPO / f'configs/fgsn/{name}.py'
    assert model_zoo._paper_row(path, 'CMU')[:4] == cells


def test_a_name_against_the_rule():
    with pytest.raises(ValueError, match=r"but got 'fgsn_c20'\. Rename"):
        model_zoo._parsed(REPO / 'configs/fgsn/fgsn_c20.py')


def test_links_of_a_page_that_is_taken_in():
    """To a page of the site, to a file, to a folder, to the web."""
    text = (
        '[a](docs/install.md#docker) [b](CHANGELOG.md) [c](LICENSE) '
        '[d](configs/base) ![e](docs/images/x.png) [f](https://x.org/a.md) '
        '[`g`](projects/town/results.md) [h](#install)'
    )
    page = REPO / 'docs/index.md'
    assert site_pages.rebase_links(text, REPO / 'README.md', page) == (
        '[a](install.md#docker) [b](changelog.md) [c](../LICENSE) '
        'd ![e](images/x.png) [f](https://x.org/a.md) '
        '[`g`](town_results.md) [h](#install)'
    )


def test_a_letter_is_no_list():
    lines = ['Args:', '    num_clusters (int): K. Or so.', '    x: KL. A.']
    site_pages.keep_letters(None, '', '', None, None, lines)
    told = ['Args:', r'    num_clusters (int): K\. Or so.', '    x: KL. A.']
    assert lines == told


def test_every_page_is_in_a_toctree():
    listed = set()
    for index in ('index', 'tutorials/index'):
        text = (REPO / f'docs/{index}.md').read_text(encoding='utf-8')
        for block in re.findall(
            r'^```{toctree}\n(.*?)^```', text, re.S | re.M
        ):
            folder = (REPO / 'docs' / index).parent
            names = [x for x in block.split('\n') if x and x[0] != ':']
            listed |= {folder / name for name in names}
    for page in (REPO / 'docs').rglob('*.md'):
        if page != REPO / 'docs/index.md' and '_build' not in page.parts:
            assert page.with_suffix('') in listed, page


def test_templates_ask_for_the_environment():
    folder = REPO / '.github/ISSUE_TEMPLATE'
    forms = [yaml.safe_load(p.read_text()) for p in folder.glob('[!c]*.yml')]
    assert len(forms) == 3
    for form in forms:
        labels = [part['attributes']['label'] for part in form['body']]
        assert any('python -m fgsn_mmseg env' in label for label in labels)


def test_citation():
    content = yaml.safe_load((REPO / 'CITATION.cff').read_text())
    version = (REPO / 'fgsn_mmseg/version.py').read_text()
    assert f"'{content['version']}'" in version
    assert content['preferred-citation']['year'] == 2019
    assert len(content['preferred-citation']['authors']) == 6


@pytest.mark.slow
def test_site_builds(tmp_path):
    """In an environment of its own, as `make docs` does; no warning."""
    python = tmp_path / 'venv/bin/python'
    commands = [
        (sys.executable, '-m', 'venv', tmp_path / 'venv'),
        (python, '-m', 'pip', 'install', '-r', REPO / 'requirements/docs.txt'),
        (python, '-m', 'sphinx', '-W', REPO / 'docs', tmp_path / 'html'),
    ]
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    for command in commands:
        done = subprocess.run(
            list(map(str, command)), env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-4000:]
    start = (tmp_path / 'html/index.html').read_text(encoding='utf-8')
    assert 'Fine-Grained Segmentation Networks' in start
    room = tmp_path / 'html/api/fgsn_mmseg/clustering/index.html'
    assert 'fgsn_mmseg.clustering.Codebook.assign_map' in room.read_text()
