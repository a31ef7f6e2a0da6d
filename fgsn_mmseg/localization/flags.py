"""Flags that command lines of this room share."""

from __future__ import annotations

import argparse
from typing import Any, TypeVar

from .solver import RansacOptions

Options = TypeVar('Options')


def add_flags(
    parser: argparse.ArgumentParser, options: Any, **texts: str
) -> None:
    """Add a flag for fields of a dataclass, with its values as defaults.

    Args:
        parser: To add to.
        options: An instance of the dataclass.
        **texts: Help by the name of each field that becomes a flag.
    """
    for name, text in texts.items():
        value = getattr(options, name)
        parser.add_argument(
            f'--{name.replace("_", "-")}',
            # Another dataclass, or another flag, may have the same name.
            dest=f'{type(options).__name__}.{name}',
            metavar=name.upper(),
            type=type(value),
            default=value,
            help=text,
        )


def from_flags(args: argparse.Namespace, kind: type[Options]) -> Options:
    """Make a dataclass of the flags that :func:`add_flags` added.

    Args:
        args: What the parser read.
        kind: The dataclass; fields without a flag keep their defaults.

    Returns:
        The options.
    """
    start = f'{kind.__name__}.'
    return kind(
        **{
            name.removeprefix(start): value
            for name, value in vars(args).items()
            if name.startswith(start)
        }
    )


def add_pair_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say how pairs are divided."""
    add = parser.add_argument
    add(
        '--places',
        type=int,
        default=10,
        help='groups of nearby reference images, each of which trains or '
        'validates as a whole',
    )
    add(
        '--train-share',
        type=float,
        default=0.7,
        help='share of the pairs that train',
    )
    add('--seed', type=int, default=0, help='of all draws')


def add_reference_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which images are paired, and where they lie."""
    add = parser.add_argument
    add(
        '--references',
        nargs='+',
        default=None,
        help='reference images: a list file, a pattern, a folder, a name; '
        'they are paired with all others. By default every image is the '
        'reference of all others',
    )
    add(
        '--prefix',
        default='',
        help='put before the names to find the files in IMAGES',
    )
    add(
        '--overwrite',
        action='store_true',
        help='write into a folder that holds pairs',
    )


def add_ransac_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of tools that look for a pose of matches."""
    add_flags(
        parser,
        RansacOptions(),
        max_error='pixels that a right match may be off',
        max_iterations='samples drawn at most',
    )


def add_label_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of tools that read a labelled map and label maps."""
    add = parser.add_argument
    add(
        '--num-clusters',
        type=int,
        default=None,
        help='number of labels K; larger ones are refused, and 8-bit maps '
        'are read where K <= 256',
    )
    add('--truth', default=None, help='true poses; recall is told')
    add('--seed', type=int, default=0, help='of all draws')
