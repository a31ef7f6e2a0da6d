"""From an unpacked cross-season tree to lists that training can use."""

from __future__ import annotations

import os
import os.path as osp
from dataclasses import dataclass, field
from multiprocessing import Pool

import mmengine

from .image_file import is_own_file
from .name_list import match_names, read_names, similar_images, write_names
from .pair_file import read_pair_file
from .reference import ReferenceImageDataset
from .splits import (
    REFERENCE_LIST,
    TRAIN_LIST,
    VAL_LIST,
    check_reference_names,
    check_split,
    split_pairs,
)

PAIR_FOLDER = 'correspondence_data'
IMAGE_FOLDER = 'images'
SOURCE = 'https://www.visuallocalization.net'


@dataclass
class PairTree:
    """What lies in one tree of correspondences.

    Attributes:
        pairs (dict): Name of each readable pair file -> its reference and
            its target image, relative to the image folder.
        broken (dict): Name of each unreadable pair file -> what is wrong.
        absent (list): Images that pairs name and that are not there, or
            empty, sorted.
        renamed (dict): Images that are there under another name -> that.
    """

    pairs: dict[str, tuple[str, str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def usable(self) -> dict[str, str]:
        """Name of each pair with both images -> its reference image."""
        absent = set(self.absent)
        return {
            name: images[0]
            for name, images in self.pairs.items()
            if absent.isdisjoint(images)
        }


def scan_pair_tree(root: str, nproc: int = 4) -> PairTree:
    """Read every pair file of a tree and look for its images.

    Args:
        root (str): Folder with ``correspondence_data/*.mat`` and ``images/``.
        nproc (int): Number of processes. Defaults to 4.

    Returns:
        PairTree: What is there and what is not.

    Raises:
        ValueError: ``nproc`` is below 1.
        FileNotFoundError: There is no pair file.
    """
    if nproc < 1:
        raise ValueError(f'`nproc` should be at least 1, but got {nproc}.')
    folder = osp.join(root, PAIR_FOLDER)
    names = os.listdir(folder) if osp.isdir(folder) else []
    names = sorted(n for n in names if n.endswith('.mat') and is_own_file(n))
    if not names:
        raise FileNotFoundError(
            f'`{PAIR_FOLDER}` should hold *.mat correspondence files, but '
            f'got none in {folder!r}. Unpack the cross-season '
            f'correspondence data set from {SOURCE} there.'
        )
    tree = PairTree()
    bar = mmengine.ProgressBar(len(names))
    with Pool(min(nproc, len(names))) as pool:
        paths = [osp.join(folder, name) for name in names]
        for name, found in zip(names, pool.imap(_read_images, paths, 16)):
            if isinstance(found, str):
                tree.broken[name] = found
            else:
                tree.pairs[name] = found
            bar.update()
    bar.file.write('\n')
    images = sorted({i for pair in tree.pairs.values() for i in pair})
    for image in images:
        path = osp.join(root, IMAGE_FOLDER, image)
        others = [path] if osp.exists(path) else similar_images(path)
        if len(others) != 1 or not _has_content(others[0]):
            tree.absent.append(image)
        elif others[0] != path:
            tree.renamed[image] = osp.relpath(
                others[0], osp.join(root, IMAGE_FOLDER)
            )
    return tree


def _has_content(path: str) -> bool:
    return osp.isfile(path) and osp.getsize(path) > 0


def _read_images(path: str) -> tuple[str, str] | str:
    try:
        pair = read_pair_file(path)
    except (OSError, ValueError) as error:
        return str(error)
    return pair['img_path'], pair['img_path2']


def prepare_lists(
    root: str,
    tree: PairTree,
    train_share: float = 0.7,
    seed: int = 0,
    overwrite: bool = False,
) -> list[str]:
    """Write the list files, or check those that are there.

    Args:
        root (str): Folder of the tree; the lists lie directly in it.
        tree (PairTree): What the tree holds.
        train_share (float): Share of the pairs that train. Defaults to 0.7.
        seed (int): Seed of the split. Defaults to 0.
        overwrite (bool): Replace lists that are there. Defaults to False.

    Returns:
        list[str]: A report, line by line; what is wrong with given lists
        starts with 'warning: '.

    Raises:
        ValueError: No pair can be used, or a split is impossible.
        FileNotFoundError: One of the two lists of pairs is there without
            the other, or the lists name no pair that can be used.
    """
    usable = tree.usable()
    if not usable:
        raise ValueError(
            f'At least one pair should be readable and have both images, but '
            f'got 0 of {len(tree.pairs) + len(tree.broken)} in {root!r}. '
            f'Unpack `{IMAGE_FOLDER}` of the data set from {SOURCE} there.'
        )
    paths = {n: osp.join(root, n) for n in (TRAIN_LIST, VAL_LIST)}
    there = [n for n, path in paths.items() if osp.isfile(path)]
    if len(there) == 1 and not overwrite:
        raise FileNotFoundError(
            f'{TRAIN_LIST} and {VAL_LIST} should both be in {root!r}, but '
            f'got {there[0]} alone. Add the other, or use --overwrite.'
        )
    if there and not overwrite:
        train, val = (
            match_names(read_names(path), usable)[0] for path in paths.values()
        )
        report = [f'kept {TRAIN_LIST} and {VAL_LIST}']
        problems = check_split(train, val, usable)
        report += [f'warning: {problem}' for problem in problems]
    else:
        train, val = split_pairs(usable, train_share, seed)
        write_names(paths[TRAIN_LIST], train)
        write_names(paths[VAL_LIST], val)
        report = [f'wrote {TRAIN_LIST} and {VAL_LIST} (seed {seed})']
    for title, names in (('training', train), ('validation', val)):
        images = {usable[name] for name in names if name in usable}
        if not images:
            raise FileNotFoundError(
                f'The {title} list should name pairs of {root!r}, but got '
                f'{len(names)} names of which none can be used. Unpack the '
                'missing parts, or use --overwrite.'
            )
        report.append(
            f'{title}: {len(names)} pairs of {len(images)} reference images'
        )
    return report + _prepare_references(root, train, usable, overwrite)


def _prepare_references(
    root: str, train: list[str], usable: dict[str, str], overwrite: bool
) -> list[str]:
    path = osp.join(root, REFERENCE_LIST)
    if osp.isfile(path) and not overwrite:
        names = read_names(path)
        problems = check_reference_names(names, list(usable.values()))
        return [
            f'kept {REFERENCE_LIST}: {len(names)} names',
            *(f'warning: {problem}' for problem in problems),
        ]
    # Those of the training pairs alone: what validates stays unseen by the
    # clustering too.
    images = sorted({usable[name] for name in train if name in usable})
    write_names(path, images)
    return [f'wrote {REFERENCE_LIST}: {len(images)} names']


def build_reference_index(root: str) -> str:
    """Gather the positions of every listed reference image, and keep them.

    Args:
        root (str): Folder of the tree, with its lists.

    Returns:
        str: One line of report.
    """
    dataset = ReferenceImageDataset(
        ann_file=TRAIN_LIST,
        data_root=root,
        reference_image_names=REFERENCE_LIST,
    )
    points = sum(len(sample['points']) for sample in dataset)
    return f'index: {len(dataset)} reference images, {points} positions'


def describe_tree(root: str, tree: PairTree) -> list[str]:
    """Say what a tree holds, what is missing and where to get it.

    Args:
        root (str): Folder of the tree.
        tree (PairTree): What the tree holds.

    Returns:
        list[str]: A report, line by line.
    """
    count = len(tree.pairs) + len(tree.broken)
    images = {i for pair in tree.pairs.values() for i in pair}
    report = [
        f'{PAIR_FOLDER}: {count} files, {len(tree.broken)} unreadable',
        f'{IMAGE_FOLDER}: {len(images) - len(tree.absent)} of the '
        f'{len(images)} images that they name',
        f'pairs that can be used: {len(tree.usable())} of {count}',
    ]
    report += [f'unreadable: {text}' for text in tree.broken.values()]
    if tree.renamed:
        name, found = next(iter(tree.renamed.items()))
        report.append(
            f'{len(tree.renamed)} images are there under another name, which '
            f'is used: the first is {name} as {found}'
        )
    if tree.absent:
        report.append(
            f'missing: {len(tree.absent)} images (or empty), the first is '
            f'{osp.join(root, IMAGE_FOLDER, tree.absent[0])}; get them from '
            f'{SOURCE}'
        )
    return report + _describe_annotated(root)


def _describe_annotated(root: str) -> list[str]:
    report = []
    for folder in ('segmented_images', 'segmented_images_201810'):
        for split in ('training', 'validation', 'testing'):
            counts = []
            for kind in ('imgs', 'annos'):
                path = osp.join(root, folder, split, kind)
                names = os.listdir(path) if osp.isdir(path) else []
                own = filter(is_own_file, names)
                counts.append(sum(n.endswith('.png') for n in own))
            if any(counts):
                report.append(
                    f'{folder}/{split}: {counts[0]} images, {counts[1]} '
                    'annotations'
                )
    return report or [f'segmented_images: none; get them from {SOURCE}']
