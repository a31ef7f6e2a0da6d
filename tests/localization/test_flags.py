from __future__ import annotations

import argparse

import pytest

from fgsn_mmseg.localization.flags import add_flags, from_flags
from fgsn_mmseg.localization.sift_matches import SiftOptions
from fgsn_mmseg.localization.solver import RansacOptions


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_flags(parser, RansacOptions(), max_error='pixels', confidence='when')
    add_flags(parser, SiftOptions(ratio=0.8), ratio='of distances')
    return parser


def test_flags_become_options(parser):
    args = parser.parse_args(['--max-error', '3', '--ratio', '1'])
    assert from_flags(args, RansacOptions) == RansacOptions(max_error=3.0)
    assert from_flags(args, SiftOptions) == SiftOptions(ratio=1.0)
    args = parser.parse_args([])
    assert from_flags(args, SiftOptions) == SiftOptions(ratio=0.8)
    assert '--max-error MAX_ERROR' in parser.format_help()


def test_a_flag_of_the_same_name_is_another(parser):
    """`localize.py --confidence` is no field of RansacOptions."""
    other = argparse.ArgumentParser()
    add_flags(other, RansacOptions(), max_error='pixels')
    other.add_argument('--confidence', action='store_true')
    args = other.parse_args(['--confidence'])
    assert from_flags(args, RansacOptions) == RansacOptions()
    # What a dataclass refuses is refused.
    args = parser.parse_args(['--confidence', '1.5'])
    with pytest.raises(ValueError, match='between 0 and 1'):
        from_flags(args, RansacOptions)
