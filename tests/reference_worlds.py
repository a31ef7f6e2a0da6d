"""A small data set of pairs, and what its reference images hold."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from pair_worlds import make_world

from fgsn_mmseg.datasets import ReferenceImageDataset

REFERENCE_PAIRS = [
    ('z1.mat', 's/ref/z.png', 's/snow/b.png'),
    ('z2.mat', 's/ref/z.png', 's/rain/c.png'),
    ('a1.mat', 's/ref/a.png', 's/snow/b.png'),
    ('z3.mat', 's/ref/z.png', 's/ref/a.png'),
    ('e1.mat', 's/ref/e.png', 's/snow/b.png'),
]


def build(root, **kwargs):
    kwargs.setdefault('serialize_data', False)
    return ReferenceImageDataset('list.txt', str(root), **kwargs)


def contents(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i['img_path'].split('/images/')[1], i['points']) for i in infos]


def assert_same(dataset, expected):
    found = contents(dataset)
    assert [path for path, _ in found] == sorted(expected)
    for path, points in found:
        assert points.dtype == np.float32
        np.testing.assert_array_equal(points, expected[path])


def naive(records, names=None):
    """All positions of each reference image, by a loop over the pairs."""
    positions = defaultdict(list)
    for name, record in records.items():
        if names is None or name in names:
            positions[record['img_path']] += record['points'].tolist()
    return {
        path: np.array(points, np.float32).reshape(-1, 2)
        for path, points in positions.items()
    }


def make_reference_world(root):
    records = make_world(
        root,
        REFERENCE_PAIRS,
        sizes={'s/ref/z.png': (33, 47)},
        points={'z1.mat': 4, 'z2.mat': 1, 'z3.mat': 2, 'e1.mat': 0},
    )
    names = [name for name, _, _ in REFERENCE_PAIRS]
    (root / 'list.txt').write_text('\n'.join(names))
    return records
