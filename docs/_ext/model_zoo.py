"""Write docs/model_zoo.md: ``python docs/_ext/model_zoo.py``.

The paper's experiments come from the model index, all other configs from
their folders; what a config is, its name says.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
PAGE = REPO / 'docs/model_zoo.md'
METAFILE = REPO / 'configs/fgsn/metafile.yml'
# Small configs that were trained here, and where their figures are.
TRAINED = {
    'fgsn-c20_r18s-d8_pspnet_1xb4-both-160_sacre-coeur-113x113': 'results.md',
    'fgsn-c20_r18s-d8_pspnet_1xb4-both-300_town-129x161': 'town_results.md',
    'fgsn-c20_r18s-d8_pspnet_1xb4-both-whitened-fitted-120_town-129x161': (
        'results.md'
    ),
    'pspnet_r18s-d8_1xb8-300_town-129x161': 'town_results.md',
}
EXTRAS = {
    'nocorr': 'no correspondences',
    'noseg': 'no dense loss',
    'hinge': 'feature hinge',
    'both': 'gradient through both images',
    'staircase': "the authors' staircase learning rate",
    'amp': 'mixed precision',
    'whitened': 'whitening learned from correspondences',
    'fitted': 'fitted classifiers',
}
STARTS = {
    'cityscapes-pre': 'Cityscapes alone',
    'in1k-pre': 'ImageNet',
}
HEAD = """\
# Model zoo

Every config of the repository, what it trains and on what. **None of full
size was trained here**: there are no checkpoints to download and no figures of
ours for them; the tests build each, check that its name says what it does, and
train some for ten iterations on miniatures. Those with figures say so in the
last column.

`fgsn-c{K}_{backbone}_{decoder}_{G}xb{N}[-{extras}]-{schedule}_{data}-{crop}`
is how a name reads: K clusters, G GPUs with N pairs each, iterations, data,
crop. In a config of your own they are bases:
`_base_ = ['fgsn_mmseg::fgsn/NAME.py']`.

This page is written by `python docs/_ext/model_zoo.py`.
"""
_NAME = re.compile(
    r'fgsn-c(?P<K>\d+)_(?P<backbone>[^_]+)_(?P<decoder>[^_]+)'
    r'(?:_(?P<batch>\d+xb\d+)(?P<extras>(?:-[a-z]+)*)-(?P<schedule>\d+k?))?'
    r'_(?P<data>.+?)(?:-(?P<crop>\d+x\d+))?$'
)


def main() -> None:
    """Write the page."""
    PAGE.write_text(zoo(), encoding='utf-8')


def zoo() -> str:
    """Markdown of the page."""
    index = yaml.safe_load(METAFILE.read_text(encoding='utf-8'))['Models']
    paper = [REPO / model['Config'] for model in index]
    data = {
        model['Name']: ', '.join(model['Metadata']['Training Data'])
        for model in index
    }
    fgsn = sorted((REPO / 'configs/fgsn').glob('*.py'), key=_order)
    others = [path for path in fgsn if path not in paper]
    town = sorted((REPO / 'projects/town/configs').glob('*.py'))
    parts = [
        HEAD,
        "## The paper's experiments\n\n"
        'PSPNet-101 at stride 8, crops of 713 x 713, short side 1024. Each '
        'stands on a base\nnetwork, [below](#base-networks).\n\n'
        + _table(
            ('K', 'data', 'start', 'what is different', 'config'),
            [_paper_row(p, data[p.stem]) for p in sorted(paper, key=_order)],
        ),
        '## Other networks and data\n\n'
        + _table(
            ('K', 'network', 'data', 'what is different', 'config', 'trained'),
            [_other_row(path) for path in others],
        ),
        '## A town in six conditions\n\n'
        + _table(
            ('config', 'trained'),
            [(_link(path), _trained(path)) for path in town],
        ),
        '## Base networks\n\nOrdinary networks of 19 classes, the start of '
        'an FGSN.\n\n' + _list(REPO / 'configs/base'),
        '## Label maps as ground truth\n\nA small network that learns what '
        'an FGSN sees: [data sets](datasets.md#label-maps-of-a-trained-fgsn)'
        '.\n\n' + _list(REPO / 'configs/distillation'),
        '## Tests\n\nPSPNet-101 on annotated images and on a folder of '
        'images: [evaluation](evaluation.md).\n\n'
        + _list(REPO / 'configs/fgsn/test'),
    ]
    return '\n'.join(parts)


def _order(path: Path) -> tuple:
    match = _parsed(path)
    return (
        match['data'],
        match['decoder'],
        match['backbone'],
        match['batch'],
        match['extras'],
        int(match['K']),
    )


def _parsed(path: Path) -> re.Match:
    match = _NAME.fullmatch(path.stem)
    if match is None:
        raise ValueError(
            f'`name` should follow the rule of the page, but got '
            f'{path.stem!r}. Rename the config.'
        )
    return match


def _difference(match: re.Match) -> str:
    words = [x for x in (match['extras'] or '').split('-') if x]
    told = [EXTRAS.get(word, word) for word in words]
    if match['batch'].startswith('4x'):
        told.append('four GPUs')
    return ', '.join(told)


def _start(backbone: str) -> str:
    for ending, start in STARTS.items():
        if backbone.endswith(f'-{ending}'):
            return start
    return 'Cityscapes and Vistas'


def _paper_row(path: Path, data: str) -> tuple[str, ...]:
    match = _parsed(path)
    return (
        match['K'],
        data,
        _start(match['backbone']),
        _difference(match),
        _link(path),
    )


def _other_row(path: Path) -> tuple[str, ...]:
    match = _parsed(path)
    network = f'{match["backbone"]}, {match["decoder"]}'
    difference = _difference(match)
    row = (match['K'], network, match['data'], difference, _link(path))
    return (*row, _trained(path))


def _trained(path: Path) -> str:
    page = TRAINED.get(path.stem)
    return f'[yes]({page})' if page else 'no'


def _link(path: Path) -> str:
    return f'[{path.stem}](../{path.relative_to(REPO).as_posix()})'


def _list(folder: Path) -> str:
    paths = sorted(folder.glob('*.py'))
    return ''.join(f'- {_link(path)}\n' for path in paths)


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [titles, ('---',) * len(titles), *rows]
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


if __name__ == '__main__':
    main()
