"""Print what a report of a fault needs: versions, devices, compilers."""

from __future__ import annotations

import argparse

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.apis import environment


def main() -> None:
    """Print one line for each package and device."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name, value in environment().items():
        print(f'{name}: {value}')


if __name__ == '__main__':
    main()
