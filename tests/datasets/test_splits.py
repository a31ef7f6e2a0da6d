from __future__ import annotations

import pytest

from fgsn_mmseg.datasets.splits import (
    check_reference_names,
    check_split,
    split_pairs,
)


def make_references(count=200, images=17):
    # Unequal: image k has about k times the pairs of image 1.
    return {
        f'pair_{n:04d}.mat': f'a/b/img_{int((n % 289) ** 0.5) % images}.jpg'
        for n in range(count)
    }


@pytest.mark.parametrize('seed', range(5))
def test_split_shares_neither_pair_nor_reference_image(seed):
    references = make_references()
    train, val = split_pairs(references, 0.7, seed)
    assert sorted(train + val) == sorted(references)
    assert train == sorted(train) and val == sorted(val)
    assert not {references[n] for n in train} & {references[n] for n in val}
    # 27 is the largest group: the cut cannot be further off than half of it.
    assert abs(len(train) - 140) <= 14


def test_split_does_not_depend_on_the_order_of_the_files():
    references = make_references()
    reversed_order = dict(reversed(list(references.items())))
    assert split_pairs(references) == split_pairs(reversed_order)
    assert split_pairs(references, seed=0) != split_pairs(references, seed=1)


def test_two_images_make_one_on_each_side():
    train, val = split_pairs({'x': 'a', 'y': 'b'}, 0.99)
    assert len(train) == len(val) == 1


def test_split_refuses():
    with pytest.raises(ValueError, match='at least 2 reference images'):
        split_pairs({'x': 'a', 'y': 'a'})
    for share in (0, 1, -0.1):
        with pytest.raises(ValueError, match='between 0 and 1'):
            split_pairs({'x': 'a', 'y': 'b'}, share)


def test_check_split_names_every_kind_of_problem():
    references = {'1': 'a', '2': 'a', '3': 'b', '4': 'b'}
    assert check_split(['1', '2'], ['3', '4'], references) == []
    problems = check_split(['1', '1', '3', '9'], ['3', '2'], references)
    assert len(problems) == 4
    assert 'corr_train.txt names 1 pairs more than once' in problems[0]
    assert "cannot be used, the first is '9'" in problems[1]
    assert "1 pairs train and validate, the first is '3'" in problems[2]
    assert '2 reference images train and validate' in problems[3]


def test_reference_names_in_both_writings():
    images = ['run1/c0/x.jpg', 'run2/c0/y.png']
    names = ['run1/c0/x.jpg', 'run1_x.jpg', 'run2_y', 'run2/c0/y']
    assert check_reference_names(names, images) == []
    problems = check_reference_names(['run1_y.jpg'], images)
    assert '1 of 1 images' in problems[0]
